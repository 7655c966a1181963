// Threads that wait for work. The one that brings it works, too.
#pragma once

#include <atomic>
#include <functional>

namespace rnnsuite {

// Calls work(0) ... work(count - 1) and returns when all have ended. Throws what one of them has.
void together(int count, const std::function<void(int)>& work);

// The same if a thread for each is free now, so that they may wait for one another; otherwise it
// does nothing and answers false.
bool at_once(int count, const std::function<void(int)>& work);

// A call that is running. Two directions of a layer run side by side; those who then wait for one
// another would wait for a thread that has no core.
class Running {
 public:
  Running();
  ~Running();
  Running(const Running&) = delete;
  Running& operator=(const Running&) = delete;

  // Whether calls have come one after another of late.
  bool usually_alone() const;
};

// Those who wait for one another.
class Team {
 public:
  explicit Team(int size) : size_(size) {}

  // Returns when all have come. They do so within microseconds of each other.
  void meet();

 private:
  const int size_;
  std::atomic<int> arrived_{0};
  std::atomic<int> meetings_{0};
};

}  // namespace rnnsuite
