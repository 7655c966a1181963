// The loop over time, backward.
#pragma once

#include <cstring>
#include <vector>

#include "product.h"
#include "shares.h"

namespace rnnsuite {
namespace LEVEL {

constexpr int BACK = 4;  // vectors of a panel of the transposed kernel
constexpr int BACK_ROWS = ACCUMULATORS / BACK;

// What a row has at hand.
struct RowGradient {
  const float* saved;
  const float* before[MOST_STATES];
  float* d_state[MOST_STATES];  // of the states after the step, then of those before it
  float* d_inputs;
  float* d_products;
  int begin;  // the first step, in the order of running, that is no padding
};

template <int ROWS>
inline void back_rows(RowGradient* const* row, const float* panel, int depth, int unit) {
  const float* products[ROWS];
  Vector sum[ROWS][BACK];
#pragma GCC unroll 8
  for (int r = 0; r < ROWS; ++r) {
    products[r] = row[r]->d_products;
#pragma GCC unroll 8
    for (int v = 0; v < BACK; ++v) sum[r][v] = load(row[r]->d_state[0] + unit + v * WIDTH);
  }
  multiply<ROWS, BACK>(products, panel, depth, sum);
#pragma GCC unroll 8
  for (int r = 0; r < ROWS; ++r) {
#pragma GCC unroll 8
    for (int v = 0; v < BACK; ++v) store(row[r]->d_state[0] + unit + v * WIDTH, sum[r][v]);
  }
}

// back_rows with as many rows as there are, a number known at compile time.
template <int MOST>
inline void back(int rows, RowGradient* const* row, const float* panel, int depth, int unit) {
  if constexpr (MOST > 0) {
    if (rows == MOST) {
      back_rows<MOST>(row, panel, depth, unit);
    } else {
      back<MOST - 1>(rows, row, panel, depth, unit);
    }
  }
}

// Adds the gradient of an output to that of the state.
inline void receive(float* d_state, const float* d_output, int begin, int end, bool finite_only) {
  for (int unit = begin; unit < end; unit += WIDTH) {
    Vector d = load(d_output + unit, end - unit);
    if (finite_only) d = finite(d);
    store(d_state + unit, add(load(d_state + unit), d));
  }
}

// The gradients of the states of all rows while the loop runs.
template <class Cell>
class Gradients {
 public:
  explicit Gradients(const Backward& call)
      : call_(call),
        padded_(rounded(call.sequence.units, BACK * WIDTH)),
        memory_(static_cast<size_t>(call.sequence.batch) * Cell::STATES * padded_) {
    const size_t units = call.sequence.units;
    std::memset(memory_.get(), 0, sizeof(float) * call.sequence.batch * Cell::STATES * padded_);
    for (int b = 0; b < call.sequence.batch; ++b) {
      for (int n = 0; n < Cell::STATES; ++n) {
        std::memcpy(at(b, n), call.d_last[n] + b * units, sizeof(float) * units);
      }
    }
  }

  RowGradient row(int b) const {
    const Sequence& s = call_.sequence;
    RowGradient row{};
    for (int n = 0; n < Cell::STATES; ++n) row.d_state[n] = at(b, n);
    if (s.valid != nullptr) {
      const bool* valid = s.valid + static_cast<size_t>(b) * s.steps;
      int& p = row.begin;
      while (p < s.steps && !valid[s.backwards ? s.steps - 1 - p : p]) ++p;
    }
    return row;
  }

  void clear(const RowGradient& row) const {
    for (int n = 0; n < Cell::STATES; ++n) {
      std::memset(row.d_state[n], 0, sizeof(float) * padded_);
    }
  }

  // Units [begin, end) of the gradients of the first states.
  void finish(const RowGradient& row, int b, int begin, int end) const {
    for (int n = 0; n < Cell::STATES; ++n) {
      float* first = call_.d_first[n] + static_cast<size_t>(b) * call_.sequence.units;
      std::memcpy(first + begin, row.d_state[n] + begin, sizeof(float) * (end - begin));
    }
  }

 private:
  float* at(int b, int n) const {
    return memory_.get() + (static_cast<size_t>(b) * Cell::STATES + n) * padded_;
  }

  const Backward& call_;
  int padded_;
  Buffer memory_;
};

template <class Cell>
void run_backward(const Backward& call, const Gradients<Cell>& gradients, const float* packed,
                  const Share& share, Team* team) {
  const Sequence& s = call.sequence;
  const int units = s.units;
  const int depth = Cell::GATES * units;
  const int count = static_cast<int>(share.rows.size());
  const size_t block = static_cast<size_t>(depth) * BACK * WIDTH;
  std::vector<RowGradient> row;
  for (int b : share.rows) row.push_back(gradients.row(b));
  std::vector<RowGradient*> active(count);
  for (int p = s.steps - 1; p >= 0; --p) {
    const int t = s.backwards ? s.steps - 1 - p : p;
    int running = 0;
    for (int i = 0; i < count; ++i) {
      RowGradient& r = row[i];
      const size_t first = static_cast<size_t>(share.rows[i]) * s.steps;
      const size_t at = first + t;
      const float* d_output = call.d_outputs ? call.d_outputs + (first + p) * units : nullptr;
      r.d_inputs = call.d_inputs + at * depth;
      r.d_products = (call.d_products ? call.d_products : call.d_inputs) + at * depth;
      if (s.valid == nullptr || s.valid[at]) {
        if (d_output) receive(r.d_state[0], d_output, share.begin, share.end, false);
        r.saved = call.saved + at * Cell::SAVED * units;
        for (int n = 0; n < Cell::STATES; ++n) r.before[n] = call.before[n] + at * units;
        Cell::back(r, units, share.begin, share.end);
        active[running++] = &r;
        continue;
      }
      // At padding, a gradient that is not a number counts as none.
      if (d_output && p > r.begin && !s.zero_masked) {
        receive(r.d_state[0], d_output, share.begin, share.end, true);
      }
      if (share.begin == 0) {
        std::memset(r.d_inputs, 0, sizeof(float) * depth);
        std::memset(r.d_products, 0, sizeof(float) * depth);
      }
    }
    // Each of a team goes on with units that no other touches: it waits only for the gates.
    if (team != nullptr) team->meet();
    for (int unit = share.begin; unit < share.end && Cell::HAS_PRODUCT; unit += BACK * WIDTH) {
      const float* panel = packed + unit / (BACK * WIDTH) * block;
      in_groups<BACK_ROWS>(running, [&](int start, int rows) {
        back<BACK_ROWS>(rows, active.data() + start, panel, depth, unit);
      });
    }
    for (int i = 0; i < count && s.fresh != nullptr; ++i) {
      if (s.fresh[static_cast<size_t>(share.rows[i]) * s.steps + t]) gradients.clear(row[i]);
    }
  }
  for (int i = 0; i < count; ++i) {
    gradients.finish(row[i], share.rows[i], share.begin, share.end);
  }
}

template <class Cell>
void backward(const Backward& call) {
  const Sequence& s = call.sequence;
  const size_t size = static_cast<size_t>(s.units) * Cell::GATES * rounded(s.units, BACK * WIDTH);
  Buffer packed(Cell::HAS_PRODUCT ? size : 0);
  if (Cell::HAS_PRODUCT) {
    pack_transposed<BACK>(call.kernel, s.units, Cell::GATES, packed.get());
  }
  const Gradients<Cell> gradients(call);
  shared_out(s, Cell::GATES, BACK * WIDTH, [&](const Share& share, Team* team) {
    run_backward<Cell>(call, gradients, packed.get(), share, team);
  });
}

}  // namespace LEVEL
}  // namespace rnnsuite
