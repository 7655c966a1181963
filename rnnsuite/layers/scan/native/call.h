// What a call of a recurrence is given. Tensors are row-major and hold 32-bit floats.
#pragma once

namespace rnnsuite {

constexpr int MOST_STATES = 2;

struct Sequence {
  int batch;
  int steps;
  int units;
  int threads;
  bool backwards;       // from the last step to the first; outputs are in that order
  bool zero_masked;     // outputs at padding are zero, not those of the step before
  const bool* valid;    // [batch, steps], false at padding, or null
  const bool* fresh;    // [batch, steps], true where the states are zero before the step, or null
};

struct Forward {
  Sequence sequence;
  const float* inputs;               // [batch, steps, gates * units]
  const float* first[MOST_STATES];   // [batch, units]
  const float* kernel;               // [units, gates * units], or null: there is no product
  const float* bias;                 // [gates * units], of the inputs, or null
  const float* recurrent_bias;       // [gates * units], of the product, or null
  float* outputs;                    // [batch, steps, units], or null
  float* last[MOST_STATES];          // [batch, units]
  float* saved;                      // [batch, steps, what a cell saves * units], or null
  float* before[MOST_STATES];        // [batch, steps, units], or null: states before each step
};

struct Backward {
  Sequence sequence;
  const float* d_outputs;               // [batch, steps, units], or null
  const float* d_last[MOST_STATES];     // [batch, units]
  const float* kernel;                  // [units, gates * units]
  const float* saved;                   // as forward has written them
  const float* before[MOST_STATES];
  float* d_inputs;                      // [batch, steps, gates * units]
  float* d_products;                    // the same of the recurrent product, where it differs
  float* d_first[MOST_STATES];          // [batch, units]
};

}  // namespace rnnsuite
