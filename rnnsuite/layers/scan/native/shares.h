// How the work of a step is dealt out to threads: by rows, or by units where rows are few.
//
// Rows do not depend on each other, and a unit is summed in the same order by whichever thread: the
// result is the same to the last bit however many there are.
#pragma once

#include <algorithm>
#include <numeric>
#include <vector>

#include "call.h"
#include "pool.h"
#include "vector.h"

namespace rnnsuite {
namespace LEVEL {

constexpr double WORTH_A_THREAD = 1e6;    // multiplications of a call
constexpr double WORTH_A_MEETING = 6e4;   // multiplications of a step
constexpr int FEWEST_ROWS = 2;            // of a thread
constexpr int FEW_ROWS = 4;               // of a thread: fewer wait for the weights

// Some rows of a batch, and units [begin, end) of each.
struct Share {
  std::vector<int> rows;
  int begin;
  int end;
};

// Steps of every row that are no padding.
inline std::vector<long> lengths(const Sequence& s) {
  std::vector<long> count(s.batch, s.steps);
  for (int b = 0; b < s.batch && s.valid != nullptr; ++b) {
    const bool* valid = s.valid + static_cast<size_t>(b) * s.steps;
    count[b] = std::count(valid, valid + s.steps, true);
  }
  return count;
}

// Rows for every thread, of about as many steps each.
inline std::vector<Share> shares_of_rows(const Sequence& s, int gates) {
  const std::vector<long> count = lengths(s);
  const double steps = static_cast<double>(std::accumulate(count.begin(), count.end(), 0L));
  const double work = steps * s.units * s.units * gates;
  int parts = std::min(s.threads, s.batch / FEWEST_ROWS);
  parts = std::max(1, std::min(parts, static_cast<int>(std::min(work / WORTH_A_THREAD, 1e6))));
  std::vector<int> order(s.batch);
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](int i, int j) { return count[i] > count[j]; });
  std::vector<Share> shares(parts, {{}, 0, s.units});
  for (int i = 0; i < s.batch; ++i) {
    const int turn = i % (2 * parts);
    shares[turn < parts ? turn : 2 * parts - 1 - turn].rows.push_back(order[i]);
  }
  return shares;
}

// All rows for every thread, and units in blocks of `grain`.
inline std::vector<Share> shares_of_units(const Sequence& s, int grain) {
  const int blocks = (s.units + grain - 1) / grain;
  const int parts = std::min(s.threads, blocks);
  std::vector<int> rows(s.batch);
  std::iota(rows.begin(), rows.end(), 0);
  std::vector<Share> shares;
  for (int i = 0; i < parts; ++i) {
    const int end = std::min(blocks * (i + 1) / parts * grain, s.units);
    shares.push_back({rows, blocks * i / parts * grain, end});
  }
  return shares;
}

// Calls work(share, team) for every share; those of a team, which is null without one, meet after
// every step.
template <class Work>
void shared_out(const Sequence& s, int gates, int grain, Work&& work) {
  const Running call;
  const double step = static_cast<double>(s.batch) * s.units * s.units * gates;
  if (s.threads > 1 && s.batch < s.threads * FEW_ROWS && step > WORTH_A_MEETING &&
      s.fresh == nullptr && s.units > grain && call.usually_alone()) {
    const std::vector<Share> shares = shares_of_units(s, grain);
    Team team(static_cast<int>(shares.size()));
    const std::function<void(int)> part = [&](int i) { work(shares[i], &team); };
    if (at_once(static_cast<int>(shares.size()), part)) return;
  }
  const std::vector<Share> shares = shares_of_rows(s, gates);
  together(static_cast<int>(shares.size()), [&](int i) { work(shares[i], nullptr); });
}

// Calls work(start, rows) for groups of at most MOST rows, as equal as can be.
template <int MOST, class Work>
inline void in_groups(int count, Work&& work) {
  int groups = (count + MOST - 1) / MOST;
  for (int start = 0; start < count; --groups) {
    const int rows = (count - start + groups - 1) / groups;
    work(start, rows);
    start += rows;
  }
}

}  // namespace LEVEL
}  // namespace rnnsuite
