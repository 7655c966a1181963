// The minimal gated recurrent unit (Feng et al., arXiv 2410.01201).
//
//     z, n = a + b                h = (1 - sigmoid(z)) h' + sigmoid(z) n
//
// a is what the inputs contribute; h' is the state before the step. Saved for the gradient:
// sigmoid(z) and n.
#include "backward.h"
#include "forward.h"

namespace rnnsuite {
namespace LEVEL {
namespace {

struct MinGru {
  static constexpr int STATES = 1;
  static constexpr int GATES = 2;
  static constexpr int SAVED = 2;
  static constexpr bool HAS_PRODUCT = false;
  static constexpr int ROWS = 1;

  const Forward& call;

  template <int R>
  void advance(RowState* const* row, const float*, int unit) const {
    const int units = call.sequence.units;
    const int left = units - unit;
    const RowState& at = *row[0];
    Vector z = load(at.inputs + unit, left);
    Vector n = load(at.inputs + units + unit, left);
    if (call.bias != nullptr) {
      z = add(z, load(call.bias + unit, left));
      n = add(n, load(call.bias + units + unit, left));
    }
    z = sigmoid(z);
    const Vector before = load(at.state[0] + unit);
    const Vector after = fma(z, sub(n, before), before);
    if (at.saved != nullptr) {
      store(at.saved + unit, z, left);
      store(at.saved + units + unit, n, left);
      store(at.before[0] + unit, before, left);
    }
    store(at.next + unit, after);
    if (at.output != nullptr) store(at.output + unit, after, left);
  }

  static void back(const RowGradient& row, int units, int begin, int end) {
    for (int unit = begin; unit < end; unit += WIDTH) {
      const int left = units - unit;
      const Vector z = load(row.saved + unit, left);
      const Vector n = load(row.saved + units + unit, left);
      const Vector before = load(row.before[0] + unit, left);
      const Vector dh = load(row.d_state[0] + unit);
      store(row.d_inputs + unit, mul(mul(dh, sub(n, before)), sigmoid_slope(z)), left);
      store(row.d_inputs + units + unit, mul(dh, z), left);
      store(row.d_state[0] + unit, fnma(dh, z, dh));
    }
  }
};

}  // namespace

void min_gru_forward(const Forward& call) { forward<MinGru>(call); }
void min_gru_backward(const Backward& call) { backward<MinGru>(call); }

}  // namespace LEVEL
}  // namespace rnnsuite
