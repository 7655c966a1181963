// Rows times a packed matrix, summed in registers.
#pragma once

#include <cstdlib>
#include <cstring>
#include <new>

#include "vector.h"

namespace rnnsuite {
namespace LEVEL {

// Memory that begins where a vector may.
class Buffer {
 public:
  explicit Buffer(size_t count) {
    const size_t bytes = (count * sizeof(float) + 63) / 64 * 64;
    data_ = static_cast<float*>(std::aligned_alloc(64, bytes ? bytes : 64));
    if (data_ == nullptr) throw std::bad_alloc();
  }
  ~Buffer() { std::free(data_); }
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;
  float* get() const { return data_; }

 private:
  float* data_;
};

inline int rounded(int n, int grain) { return (n + grain - 1) / grain * grain; }

// sum[r][v] += rows[r] (1 x depth) times panel (depth x VECTORS * WIDTH)
template <int ROWS, int VECTORS>
inline __attribute__((always_inline)) void multiply(
    const float* const* rows, const float* panel, int depth, Vector (&sum)[ROWS][VECTORS]) {
  const float* row[ROWS];
#pragma GCC unroll 8
  for (int r = 0; r < ROWS; ++r) row[r] = rows[r];
  for (int k = 0; k < depth; ++k) {
    // Fewer registers are needed when what there is less of is held.
    if constexpr (ROWS <= VECTORS) {
      Vector x[ROWS];
#pragma GCC unroll 8
      for (int r = 0; r < ROWS; ++r) x[r] = all(row[r][k]);
#pragma GCC unroll 8
      for (int v = 0; v < VECTORS; ++v) {
        const Vector w = load(panel + v * WIDTH);
#pragma GCC unroll 8
        for (int r = 0; r < ROWS; ++r) sum[r][v] = fma(x[r], w, sum[r][v]);
      }
    } else {
      Vector w[VECTORS];
#pragma GCC unroll 8
      for (int v = 0; v < VECTORS; ++v) w[v] = load(panel + v * WIDTH);
#pragma GCC unroll 8
      for (int r = 0; r < ROWS; ++r) {
        const Vector x = all(row[r][k]);
#pragma GCC unroll 8
        for (int v = 0; v < VECTORS; ++v) sum[r][v] = fma(x, w[v], sum[r][v]);
      }
    }
    panel += VECTORS * WIDTH;
  }
}

// The columns of all gates of WIDTH units side by side, for one block of units after the other.
// kernel [units, gates * units] to [blocks, units, gates, WIDTH]
inline void pack_gates(const float* kernel, int units, int gates, float* packed) {
  for (int unit = 0; unit < units; unit += WIDTH) {
    const int count = units - unit < WIDTH ? units - unit : WIDTH;
    for (int k = 0; k < units; ++k) {
      for (int g = 0; g < gates; ++g) {
        store(packed, load(kernel + (k * gates + g) * units + unit, count));
        packed += WIDTH;
      }
    }
  }
}

// The transposed kernel in panels of VECTORS * WIDTH units.
// kernel [units, gates * units] to [panels, gates * units, VECTORS * WIDTH]
template <int VECTORS>
void pack_transposed(const float* kernel, int units, int gates, float* packed) {
  constexpr int PANEL = VECTORS * WIDTH;
  const int depth = gates * units;
  for (int unit = 0; unit < units; unit += PANEL) {
    const int count = units - unit < PANEL ? units - unit : PANEL;
    if (count < PANEL) std::memset(packed, 0, sizeof(float) * depth * PANEL);
    constexpr int TILE = 32;
    for (int start = 0; start < depth; start += TILE) {
      const int end = start + TILE < depth ? start + TILE : depth;
      for (int n = 0; n < count; ++n) {
        const float* row = kernel + static_cast<size_t>(unit + n) * depth;
        for (int k = start; k < end; ++k) packed[static_cast<size_t>(k) * PANEL + n] = row[k];
      }
    }
    packed += static_cast<size_t>(depth) * PANEL;
  }
}

}  // namespace LEVEL
}  // namespace rnnsuite
