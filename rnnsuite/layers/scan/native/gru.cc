// Gated recurrent unit (Cho et al., arXiv 1406.1078), the reset gate after the product.
//
//     p = h' U + b'                      z, r = sigmoid(a + b + p)
//     n = tanh(a + b + r p)              h = n + z (h' - n)
//
// a is what the inputs contribute; h' is the state before the step. Gates stand in the order
// z, r, n. Saved for the gradient: z, r, n, and p of n.
#include "backward.h"
#include "forward.h"

namespace rnnsuite {
namespace LEVEL {
namespace {

struct Gru {
  static constexpr int STATES = 1;
  static constexpr int GATES = 3;
  static constexpr int SAVED = 4;
  static constexpr bool HAS_PRODUCT = true;
  static constexpr int ROWS = ACCUMULATORS / GATES;

  const Forward& call;

  template <int R>
  void advance(RowState* const* row, const float* panel, int unit) const {
    const int units = call.sequence.units;
    const int left = units - unit;
    const float* h[R];
    Vector sum[R][GATES];
    Vector bias[GATES];
#pragma GCC unroll 4
    for (int g = 0; g < GATES; ++g) {
      bias[g] = call.bias ? load(call.bias + g * units + unit, left) : zero();
      const float* recurrent = call.recurrent_bias;
      const Vector first = recurrent ? load(recurrent + g * units + unit, left) : zero();
#pragma GCC unroll 8
      for (int r = 0; r < R; ++r) sum[r][g] = first;
    }
#pragma GCC unroll 8
    for (int r = 0; r < R; ++r) h[r] = row[r]->state[0];
    multiply<R, GATES>(h, panel, units, sum);
#pragma GCC unroll 8
    for (int r = 0; r < R; ++r) {
      const RowState& at = *row[r];
      Vector a[GATES];
#pragma GCC unroll 4
      for (int g = 0; g < GATES; ++g) {
        a[g] = add(load(at.inputs + g * units + unit, left), bias[g]);
      }
      const Vector z = sigmoid(add(a[0], sum[r][0]));
      const Vector reset = sigmoid(add(a[1], sum[r][1]));
      const Vector n = tanh(fma(reset, sum[r][2], a[2]));
      const Vector before = load(at.state[0] + unit);
      const Vector after = fma(z, sub(before, n), n);
      if (at.saved != nullptr) {
        store(at.saved + unit, z, left);
        store(at.saved + units + unit, reset, left);
        store(at.saved + 2 * units + unit, n, left);
        store(at.saved + 3 * units + unit, sum[r][2], left);
        store(at.before[0] + unit, before, left);
      }
      store(at.next + unit, after);
      if (at.output != nullptr) store(at.output + unit, after, left);
    }
  }

  static void back(const RowGradient& row, int units, int begin, int end) {
    for (int unit = begin; unit < end; unit += WIDTH) {
      const int left = units - unit;
      const Vector z = load(row.saved + unit, left);
      const Vector r = load(row.saved + units + unit, left);
      const Vector n = load(row.saved + 2 * units + unit, left);
      const Vector p = load(row.saved + 3 * units + unit, left);
      const Vector before = load(row.before[0] + unit, left);
      const Vector dh = load(row.d_state[0] + unit);
      const Vector dz = mul(mul(dh, sub(before, n)), sigmoid_slope(z));
      const Vector dn = mul(mul(dh, sub(all(1.0f), z)), tanh_slope(n));
      const Vector dr = mul(mul(dn, p), sigmoid_slope(r));
      store(row.d_inputs + unit, dz, left);
      store(row.d_inputs + units + unit, dr, left);
      store(row.d_inputs + 2 * units + unit, dn, left);
      store(row.d_products + unit, dz, left);
      store(row.d_products + units + unit, dr, left);
      store(row.d_products + 2 * units + unit, mul(dn, r), left);
      store(row.d_state[0] + unit, mul(dh, z));
    }
  }
};

}  // namespace

void gru_forward(const Forward& call) { forward<Gru>(call); }
void gru_backward(const Backward& call) { backward<Gru>(call); }

}  // namespace LEVEL
}  // namespace rnnsuite
