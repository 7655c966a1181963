// The loop over time, forward. A step touches those rows only that have no padding there.
#pragma once

#include <cstring>
#include <vector>

#include "product.h"
#include "shares.h"

namespace rnnsuite {
namespace LEVEL {

// What a row has at hand.
struct RowState {
  const float* inputs;
  float* state[MOST_STATES];
  float* next;    // where the new first state goes
  float* output;  // or null
  float* saved;   // or null
  float* before[MOST_STATES];
  bool seen;  // anything so far
};

// cell.advance with as many rows as there are, a number known at compile time.
template <int MOST, class Cell>
inline void advance(int rows, const Cell& cell, RowState* const* row, const float* panel,
                    int unit) {
  if constexpr (MOST > 0) {
    if (rows == MOST) {
      cell.template advance<MOST>(row, panel, unit);
    } else {
      advance<MOST - 1>(rows, cell, row, panel, unit);
    }
  }
}

// What a row shows and keeps of a step that is padding.
inline void skip(const RowState& row, const Sequence& s) {
  const size_t bytes = sizeof(float) * s.units;
  if (row.output != nullptr) {
    if (row.seen && !s.zero_masked) {
      std::memcpy(row.output, row.state[0], bytes);
    } else {
      std::memset(row.output, 0, bytes);
    }
  }
  for (float* before : row.before) {
    if (before != nullptr) std::memset(before, 0, bytes);
  }
}

// The states of all rows while the loop runs, each with room for its successor.
template <class Cell>
class States {
 public:
  explicit States(const Forward& call)
      : call_(call),
        padded_(rounded(call.sequence.units, WIDTH)),
        memory_(static_cast<size_t>(call.sequence.batch) * (Cell::STATES + 1) * padded_) {
    const size_t units = call.sequence.units;
    std::memset(memory_.get(), 0,
                sizeof(float) * call.sequence.batch * (Cell::STATES + 1) * padded_);
    for (int b = 0; b < call.sequence.batch; ++b) {
      for (int n = 0; n < Cell::STATES; ++n) {
        std::memcpy(at(b, n), call.first[n] + b * units, sizeof(float) * units);
      }
    }
  }

  RowState row(int b) const {
    RowState row{};
    for (int n = 0; n < Cell::STATES; ++n) row.state[n] = at(b, n);
    row.next = at(b, Cell::STATES);
    return row;
  }

  void clear(const RowState& row) const {
    for (int n = 0; n < Cell::STATES; ++n) {
      std::memset(row.state[n], 0, sizeof(float) * padded_);
    }
  }

  // Units [begin, end) of the last states.
  void finish(const RowState& row, int b, int begin, int end) const {
    for (int n = 0; n < Cell::STATES; ++n) {
      float* last = call_.last[n] + static_cast<size_t>(b) * call_.sequence.units;
      std::memcpy(last + begin, row.state[n] + begin, sizeof(float) * (end - begin));
    }
  }

 private:
  float* at(int b, int n) const {
    return memory_.get() + (static_cast<size_t>(b) * (Cell::STATES + 1) + n) * padded_;
  }

  const Forward& call_;
  int padded_;
  Buffer memory_;
};

template <class Cell>
void run_forward(const Forward& call, const States<Cell>& states, const float* packed,
                 const Share& share, Team* team) {
  const Sequence& s = call.sequence;
  const int units = s.units;
  const int count = static_cast<int>(share.rows.size());
  const size_t block = static_cast<size_t>(units) * Cell::GATES * WIDTH;
  std::vector<RowState> row;
  for (int b : share.rows) row.push_back(states.row(b));
  std::vector<RowState*> active(count);
  const Cell cell{call};
  for (int p = 0; p < s.steps; ++p) {
    const int t = s.backwards ? s.steps - 1 - p : p;
    int running = 0;
    for (int i = 0; i < count; ++i) {
      RowState& r = row[i];
      const size_t first = static_cast<size_t>(share.rows[i]) * s.steps;
      const size_t at = first + t;
      r.inputs = call.inputs + at * Cell::GATES * units;
      r.output = call.outputs ? call.outputs + (first + p) * units : nullptr;
      r.saved = call.saved ? call.saved + at * Cell::SAVED * units : nullptr;
      for (int n = 0; n < Cell::STATES && call.saved; ++n) {
        r.before[n] = call.before[n] + at * units;
      }
      if (s.fresh != nullptr && s.fresh[at]) states.clear(r);
      if (s.valid == nullptr || s.valid[at]) {
        r.seen = true;
        active[running++] = &r;
      } else if (share.begin == 0) {
        skip(r, s);
      }
    }
    for (int unit = share.begin; unit < share.end; unit += WIDTH) {
      const float* panel = Cell::HAS_PRODUCT ? packed + unit / WIDTH * block : nullptr;
      in_groups<Cell::ROWS>(running, [&](int start, int rows) {
        advance<Cell::ROWS>(rows, cell, active.data() + start, panel, unit);
      });
    }
    for (int i = 0; i < running; ++i) std::swap(active[i]->state[0], active[i]->next);
    if (team != nullptr) team->meet();
  }
  for (int i = 0; i < count; ++i) states.finish(row[i], share.rows[i], share.begin, share.end);
}

template <class Cell>
void forward(const Forward& call) {
  const Sequence& s = call.sequence;
  const size_t size = static_cast<size_t>(s.units) * Cell::GATES * rounded(s.units, WIDTH);
  Buffer packed(Cell::HAS_PRODUCT ? size : 0);
  if (Cell::HAS_PRODUCT) pack_gates(call.kernel, s.units, Cell::GATES, packed.get());
  const States<Cell> states(call);
  shared_out(s, Cell::GATES, WIDTH, [&](const Share& share, Team* team) {
    run_forward<Cell>(call, states, packed.get(), share, team);
  });
}

}  // namespace LEVEL
}  // namespace rnnsuite
