// The recurrences as operations of TensorFlow, by its C interface.
#include <cstdio>
#include <exception>
#include <string>

#include "call.h"
#include "tensorflow/c/kernels.h"
#include "tensorflow/c/ops.h"
#include "tensorflow/c/tf_tensor.h"
#include "vector.h"

namespace rnnsuite {
namespace LEVEL {

void lstm_forward(const Forward& call);
void lstm_backward(const Backward& call);
void gru_forward(const Forward& call);
void gru_backward(const Backward& call);
void min_gru_forward(const Forward& call);
void min_gru_backward(const Backward& call);

}  // namespace LEVEL

namespace {

#define TEXT(name) #name
#define TEXT_OF(name) TEXT(name)
const std::string PREFIX = std::string("Rnnsuite") + TEXT_OF(LEVEL);

// What the operations of a recurrence take and give.
struct Lstm {
  static constexpr int STATES = 2;
  static constexpr int GATES = 4;
  static constexpr int SAVED = 4;
  static constexpr bool HAS_PRODUCT = true;
  static constexpr bool HAS_RECURRENT_BIAS = false;
  static constexpr auto forward = LEVEL::lstm_forward;
  static constexpr auto backward = LEVEL::lstm_backward;
};

struct Gru {
  static constexpr int STATES = 1;
  static constexpr int GATES = 3;
  static constexpr int SAVED = 4;
  static constexpr bool HAS_PRODUCT = true;
  static constexpr bool HAS_RECURRENT_BIAS = true;
  static constexpr auto forward = LEVEL::gru_forward;
  static constexpr auto backward = LEVEL::gru_backward;
};

struct MinGru {
  static constexpr int STATES = 1;
  static constexpr int GATES = 2;
  static constexpr int SAVED = 2;
  static constexpr bool HAS_PRODUCT = false;
  static constexpr bool HAS_RECURRENT_BIAS = false;
  static constexpr auto forward = LEVEL::min_gru_forward;
  static constexpr auto backward = LEVEL::min_gru_backward;
};

struct Failure : std::exception {
  explicit Failure(std::string what) : text(std::move(what)) {}
  const char* what() const noexcept override { return text.c_str(); }
  std::string text;
};

class Status {
 public:
  Status() : status_(TF_NewStatus()) {}
  ~Status() { TF_DeleteStatus(status_); }
  Status(const Status&) = delete;
  Status& operator=(const Status&) = delete;
  operator TF_Status*() { return status_; }
  void check() {
    if (TF_GetCode(status_) != TF_OK) throw Failure(TF_Message(status_));
  }

 private:
  TF_Status* status_;
};

// A tensor of the call; freed with it, while TensorFlow keeps what it holds.
class Tensor {
 public:
  explicit Tensor(TF_Tensor* tensor) : tensor_(tensor) {}
  ~Tensor() { TF_DeleteTensor(tensor_); }
  Tensor(const Tensor&) = delete;
  Tensor& operator=(const Tensor&) = delete;
  template <class T = float>
  T* data() const {
    return static_cast<T*>(TF_TensorData(tensor_));
  }
  // The data, or null where there is no element.
  template <class T = float>
  T* data_or_null() const {
    return tensor_ && TF_TensorElementCount(tensor_) ? data<T>() : nullptr;
  }
  long size(int axis) const { return TF_Dim(tensor_, axis); }
  void require(std::initializer_list<long> shape, const char* name) const {
    bool fits = TF_NumDims(tensor_) == static_cast<int>(shape.size());
    int axis = 0;
    for (long n : shape) fits = fits && size(axis++) == n;
    if (!fits) throw Failure(std::string("the shape of ") + name + " does not fit");
  }

 private:
  TF_Tensor* tensor_;
};

TF_Tensor* input(TF_OpKernelContext* context, int number) {
  Status status;
  TF_Tensor* tensor = nullptr;
  TF_GetInput(context, number, &tensor, status);
  status.check();
  return tensor;
}

TF_Tensor* output(TF_OpKernelContext* context, int number, std::initializer_list<int64_t> shape) {
  Status status;
  int64_t count = 1;
  for (int64_t n : shape) count *= n;
  TF_Tensor* tensor =
      TF_AllocateOutput(context, number, TF_FLOAT, shape.begin(), static_cast<int>(shape.size()),
                        static_cast<size_t>(count) * sizeof(float), status);
  status.check();
  return tensor;
}

struct Attributes {
  bool backwards;
  bool zero_masked;
  bool sequences;
  bool save;
  int threads;
};

void* create(TF_OpKernelConstruction* construction) {
  auto* found = new Attributes();
  Status status;
  unsigned char value = 0;
  const std::pair<const char*, bool*> flags[] = {{"backwards", &found->backwards},
                                                 {"zero_masked", &found->zero_masked},
                                                 {"sequences", &found->sequences},
                                                 {"save", &found->save}};
  for (const auto& [name, flag] : flags) {
    TF_OpKernelConstruction_GetAttrBool(construction, name, &value, status);
    *flag = value != 0;
  }
  TF_OpKernelConstruction_GetAttrInt32(construction, "threads", &found->threads, status);
  if (TF_GetCode(status) != TF_OK) TF_OpKernelConstruction_Failure(construction, status);
  return found;
}

void destroy(void* attributes) { delete static_cast<Attributes*>(attributes); }

Sequence sequence_of(const Attributes& given, long batch, long steps, long units,
                     const Tensor& valid, const Tensor& fresh) {
  const auto* valid_data = valid.data_or_null<bool>();
  const auto* fresh_data = fresh.data_or_null<bool>();
  if (valid_data) valid.require({batch, steps}, "valid");
  if (fresh_data) fresh.require({batch, steps}, "fresh");
  return {static_cast<int>(batch), static_cast<int>(steps), static_cast<int>(units),
          given.threads,           given.backwards,         given.zero_masked,
          valid_data,              fresh_data};
}

// inputs: inputs, states, kernel, bias, recurrent bias, valid, fresh
// outputs: outputs, last states, saved, states before each step
template <class Cell>
void run_forward(const Attributes& given, TF_OpKernelContext* context) {
  constexpr bool two = Cell::STATES == 2;
  int next = 0;
  const Tensor inputs(input(context, next++));
  const Tensor h(input(context, next++));
  const Tensor c(two ? input(context, next++) : nullptr);
  const Tensor kernel(Cell::HAS_PRODUCT ? input(context, next++) : nullptr);
  const Tensor bias(input(context, next++));
  const Tensor recurrent_bias(Cell::HAS_RECURRENT_BIAS ? input(context, next++) : nullptr);
  const Tensor valid(input(context, next++));
  const Tensor fresh(input(context, next++));
  const int64_t batch = inputs.size(0);
  const int64_t steps = inputs.size(1);
  const int64_t units = h.size(1);
  inputs.require({batch, steps, Cell::GATES * units}, "inputs");
  if (Cell::HAS_PRODUCT) kernel.require({units, Cell::GATES * units}, "the recurrent kernel");
  h.require({batch, units}, "a state");
  if (two) c.require({batch, units}, "a state");
  for (const Tensor* each : {&bias, &recurrent_bias}) {
    if (each->data_or_null()) each->require({Cell::GATES * units}, "a bias");
  }
  const int64_t shown = given.sequences ? batch : 0;
  const int64_t kept = given.save ? batch : 0;
  next = 0;
  const Tensor outputs(output(context, next++, {shown, steps, units}));
  const Tensor last_h(output(context, next++, {batch, units}));
  const Tensor last_c(two ? output(context, next++, {batch, units}) : nullptr);
  const Tensor saved(output(context, next++, {kept, steps, Cell::SAVED * units}));
  const Tensor before_h(output(context, next++, {kept, steps, units}));
  const Tensor before_c(two ? output(context, next++, {kept, steps, units}) : nullptr);
  Cell::forward({sequence_of(given, batch, steps, units, valid, fresh),
                 inputs.data(),
                 {h.data(), c.data_or_null()},
                 kernel.data_or_null(),
                 bias.data_or_null(),
                 recurrent_bias.data_or_null(),
                 given.sequences ? outputs.data() : nullptr,
                 {last_h.data(), last_c.data_or_null()},
                 given.save ? saved.data() : nullptr,
                 {before_h.data(), before_c.data_or_null()}});
}

// inputs: gradients of outputs and of last states, kernel, saved, states before, valid, fresh
// outputs: gradients of inputs, of products where they differ, of the first states
template <class Cell>
void run_backward(const Attributes& given, TF_OpKernelContext* context) {
  constexpr bool two = Cell::STATES == 2;
  constexpr bool differ = Cell::HAS_RECURRENT_BIAS;
  int next = 0;
  const Tensor d_outputs(input(context, next++));
  const Tensor d_h(input(context, next++));
  const Tensor d_c(two ? input(context, next++) : nullptr);
  const Tensor kernel(Cell::HAS_PRODUCT ? input(context, next++) : nullptr);
  const Tensor saved(input(context, next++));
  const Tensor before_h(input(context, next++));
  const Tensor before_c(two ? input(context, next++) : nullptr);
  const Tensor valid(input(context, next++));
  const Tensor fresh(input(context, next++));
  const int64_t batch = saved.size(0);
  const int64_t steps = saved.size(1);
  const int64_t units = d_h.size(1);
  const int64_t width = Cell::GATES * units;
  saved.require({batch, steps, Cell::SAVED * units}, "what was saved");
  before_h.require({batch, steps, units}, "the states before each step");
  if (two) before_c.require({batch, steps, units}, "the states before each step");
  if (Cell::HAS_PRODUCT) kernel.require({units, width}, "the recurrent kernel");
  d_h.require({batch, units}, "a state's gradient");
  if (two) d_c.require({batch, units}, "a state's gradient");
  if (given.sequences) d_outputs.require({batch, steps, units}, "the outputs' gradient");
  next = 0;
  const Tensor d_inputs(output(context, next++, {batch, steps, width}));
  const Tensor d_products(differ ? output(context, next++, {batch, steps, width}) : nullptr);
  const Tensor first_h(output(context, next++, {batch, units}));
  const Tensor first_c(two ? output(context, next++, {batch, units}) : nullptr);
  Cell::backward({sequence_of(given, batch, steps, units, valid, fresh),
                  given.sequences ? d_outputs.data() : nullptr,
                  {d_h.data(), d_c.data_or_null()},
                  kernel.data_or_null(),
                  saved.data(),
                  {before_h.data(), before_c.data_or_null()},
                  d_inputs.data(),
                  d_products.data_or_null(),
                  {first_h.data(), first_c.data_or_null()}});
}

template <void (*run)(const Attributes&, TF_OpKernelContext*)>
void compute(void* attributes, TF_OpKernelContext* context) {
  try {
    run(*static_cast<Attributes*>(attributes), context);
  } catch (const std::exception& error) {
    Status status;
    TF_SetStatus(status, TF_INVALID_ARGUMENT, error.what());
    TF_OpKernelContext_Failure(context, status);
  }
}

void any_shape(TF_ShapeInferenceContext* context, TF_Status* status) {
  TF_ShapeInferenceContextSetUnknownShape(context, status);
}

using Compute = void (*)(void*, TF_OpKernelContext*);

void add(const std::string& name, std::initializer_list<const char*> inputs,
         std::initializer_list<const char*> outputs, Compute compute) {
  TF_OpDefinitionBuilder* operation = TF_NewOpDefinitionBuilder(name.c_str());
  for (const char* attribute : {"backwards: bool = false", "zero_masked: bool = false",
                                "sequences: bool = true", "save: bool = true", "threads: int = 1"})
    TF_OpDefinitionBuilderAddAttr(operation, attribute);
  for (const char* each : inputs) TF_OpDefinitionBuilderAddInput(operation, each);
  for (const char* each : outputs) TF_OpDefinitionBuilderAddOutput(operation, each);
  TF_OpDefinitionBuilderSetShapeInferenceFunction(operation, any_shape);
  Status status;
  TF_RegisterOpDefinition(operation, status);
  if (TF_GetCode(status) == TF_OK) {
    TF_RegisterKernelBuilder(name.c_str(),
                             TF_NewKernelBuilder(name.c_str(), "CPU", create, compute, destroy),
                             status);
  }
  if (TF_GetCode(status) != TF_OK) std::fprintf(stderr, "rnnsuite: %s\n", TF_Message(status));
}

const bool added = [] {
  add(PREFIX + "Lstm",
      {"inputs: float", "h: float", "c: float", "kernel: float", "bias: float", "valid: bool",
       "fresh: bool"},
      {"outputs: float", "last_h: float", "last_c: float", "saved: float", "before_h: float",
       "before_c: float"},
      compute<run_forward<Lstm>>);
  add(PREFIX + "LstmGrad",
      {"d_outputs: float", "d_h: float", "d_c: float", "kernel: float", "saved: float",
       "before_h: float", "before_c: float", "valid: bool", "fresh: bool"},
      {"d_inputs: float", "first_h: float", "first_c: float"}, compute<run_backward<Lstm>>);
  add(PREFIX + "Gru",
      {"inputs: float", "h: float", "kernel: float", "bias: float", "recurrent_bias: float",
       "valid: bool", "fresh: bool"},
      {"outputs: float", "last_h: float", "saved: float", "before_h: float"},
      compute<run_forward<Gru>>);
  add(PREFIX + "GruGrad",
      {"d_outputs: float", "d_h: float", "kernel: float", "saved: float", "before_h: float",
       "valid: bool", "fresh: bool"},
      {"d_inputs: float", "d_products: float", "first_h: float"}, compute<run_backward<Gru>>);
  add(PREFIX + "MinGru",
      {"inputs: float", "h: float", "bias: float", "valid: bool", "fresh: bool"},
      {"outputs: float", "last_h: float", "saved: float", "before_h: float"},
      compute<run_forward<MinGru>>);
  add(PREFIX + "MinGruGrad",
      {"d_outputs: float", "d_h: float", "saved: float", "before_h: float", "valid: bool",
       "fresh: bool"},
      {"d_inputs: float", "first_h: float"}, compute<run_backward<MinGru>>);
  return true;
}();

}  // namespace
}  // namespace rnnsuite
