// Long short-term memory (Hochreiter & Schmidhuber 1997; forget gate: Gers et al. 2000).
//
//     i, f, o = sigmoid(a + b + h' U)      g = tanh(a + b + h' U)
//     c = f c' + i g                       h = o tanh(c)
//
// a is what the inputs contribute; h' and c' are the states before the step. Gates stand in the
// order i, f, g, o. Saved for the gradient: the four gates.
#include "backward.h"
#include "forward.h"

namespace rnnsuite {
namespace LEVEL {
namespace {

struct Lstm {
  static constexpr int STATES = 2;
  static constexpr int GATES = 4;
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
    }
#pragma GCC unroll 8
    for (int r = 0; r < R; ++r) {
      h[r] = row[r]->state[0];
#pragma GCC unroll 4
      for (int g = 0; g < GATES; ++g) {
        sum[r][g] = add(load(row[r]->inputs + g * units + unit, left), bias[g]);
      }
    }
    multiply<R, GATES>(h, panel, units, sum);
#pragma GCC unroll 8
    for (int r = 0; r < R; ++r) {
      const RowState& at = *row[r];
      const Vector i = sigmoid(sum[r][0]);
      const Vector f = sigmoid(sum[r][1]);
      const Vector g = tanh(sum[r][2]);
      const Vector o = sigmoid(sum[r][3]);
      const Vector before = load(at.state[1] + unit);
      const Vector c = fma(f, before, mul(i, g));
      const Vector after = mul(o, tanh(c));
      if (at.saved != nullptr) {
        store(at.saved + unit, i, left);
        store(at.saved + units + unit, f, left);
        store(at.saved + 2 * units + unit, g, left);
        store(at.saved + 3 * units + unit, o, left);
        store(at.before[0] + unit, load(at.state[0] + unit), left);
        store(at.before[1] + unit, before, left);
      }
      store(at.state[1] + unit, c);
      store(at.next + unit, after);
      if (at.output != nullptr) store(at.output + unit, after, left);
    }
  }

  static void back(const RowGradient& row, int units, int begin, int end) {
    for (int unit = begin; unit < end; unit += WIDTH) {
      const int left = units - unit;
      const Vector i = load(row.saved + unit, left);
      const Vector f = load(row.saved + units + unit, left);
      const Vector g = load(row.saved + 2 * units + unit, left);
      const Vector o = load(row.saved + 3 * units + unit, left);
      const Vector before = load(row.before[1] + unit, left);
      const Vector tanh_c = tanh(fma(f, before, mul(i, g)));
      const Vector dh = load(row.d_state[0] + unit);
      const Vector dc = fma(mul(dh, o), tanh_slope(tanh_c), load(row.d_state[1] + unit));
      store(row.d_inputs + unit, mul(mul(dc, g), sigmoid_slope(i)), left);
      store(row.d_inputs + units + unit, mul(mul(dc, before), sigmoid_slope(f)), left);
      store(row.d_inputs + 2 * units + unit, mul(mul(dc, i), tanh_slope(g)), left);
      store(row.d_inputs + 3 * units + unit, mul(mul(dh, tanh_c), sigmoid_slope(o)), left);
      store(row.d_state[0] + unit, zero());
      store(row.d_state[1] + unit, mul(dc, f));
    }
  }
};

}  // namespace

void lstm_forward(const Forward& call) { forward<Lstm>(call); }
void lstm_backward(const Backward& call) { backward<Lstm>(call); }

}  // namespace LEVEL
}  // namespace rnnsuite
