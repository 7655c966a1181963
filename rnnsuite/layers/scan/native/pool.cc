#include "pool.h"

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <deque>
#include <exception>
#include <memory>
#include <mutex>
#include <thread>

#if defined(__x86_64__)
#include <xmmintrin.h>
#endif

namespace rnnsuite {
namespace {

constexpr int TURNS = 2000;  // of a thread that waits before it gives way

#if defined(__x86_64__)
inline void pause() { _mm_pause(); }
#else
inline void pause() {}
#endif

struct Job {
  const std::function<void(int)>* work;
  int count;
  std::atomic<int> next{0};
  std::atomic<int> done{0};
  std::exception_ptr failure;
  std::mutex mutex;
  std::condition_variable all_done;

  // Whether there was anything left to do.
  bool run_one() {
    const int number = next.fetch_add(1);
    if (number >= count) return false;
    try {
      (*work)(number);
    } catch (...) {
      std::lock_guard<std::mutex> lock(mutex);
      failure = std::current_exception();
    }
    if (done.fetch_add(1) + 1 == count) {
      std::lock_guard<std::mutex> lock(mutex);
      all_done.notify_all();
    }
    return true;
  }
};

class Pool {
 public:
  // The pool of this process: threads do not survive a fork.
  static Pool& own() {
    static std::mutex mutex;
    static Pool* pool = nullptr;
    static pid_t owner = 0;
    std::lock_guard<std::mutex> lock(mutex);
    if (pool == nullptr || owner != getpid()) {
      pool = new Pool();  // never deleted: its threads may outlive all that is static
      owner = getpid();
    }
    return *pool;
  }

  // Adds helpers to a job; where all are needed at once, only if as many are free.
  bool add(std::shared_ptr<Job> job, int helpers, bool at_once) {
    std::lock_guard<std::mutex> lock(mutex_);
    while (threads_ < helpers) {
      std::thread([this] { serve(); }).detach();
      ++threads_;
      ++idle_;
    }
    if (at_once && idle_ - static_cast<int>(jobs_.size()) < helpers) return false;
    for (int i = 0; i < helpers; ++i) jobs_.push_back(job);
    waiting_.notify_all();
    return true;
  }

 private:
  void serve() {
#if defined(__x86_64__)
    _mm_setcsr(_mm_getcsr() | 0x8040);  // denormal numbers are zero, as in TensorFlow's threads
#endif
    while (true) {
      std::shared_ptr<Job> job;
      {
        std::unique_lock<std::mutex> lock(mutex_);
        waiting_.wait(lock, [this] { return !jobs_.empty(); });
        job = std::move(jobs_.front());
        jobs_.pop_front();
        --idle_;
      }
      while (job->run_one()) {
      }
      std::lock_guard<std::mutex> lock(mutex_);
      ++idle_;
    }
  }

  std::mutex mutex_;
  std::condition_variable waiting_;
  std::deque<std::shared_ptr<Job>> jobs_;
  int threads_ = 0;
  int idle_ = 0;
};

bool run(int count, const std::function<void(int)>& work, bool at_once) {
  auto job = std::make_shared<Job>();
  job->work = &work;
  job->count = count;
  if (!Pool::own().add(job, count - 1, at_once)) return false;
  while (job->run_one()) {
  }
  std::unique_lock<std::mutex> lock(job->mutex);
  job->all_done.wait(lock, [&] { return job->done.load() == job->count; });
  if (job->failure) std::rethrow_exception(job->failure);
  return true;
}

}  // namespace

void together(int count, const std::function<void(int)>& work) {
  if (count <= 1) {
    for (int i = 0; i < count; ++i) work(i);
    return;
  }
  run(count, work, false);
}

bool at_once(int count, const std::function<void(int)>& work) { return run(count, work, true); }

namespace {

std::atomic<int> running{0};
std::atomic<int> crowded{0};  // rises twice as fast as it falls
constexpr int MOST_CROWDED = 8;

}  // namespace

Running::Running() {
  if (running.fetch_add(1) > 0) {
    crowded.store(std::min(crowded.load() + 2, MOST_CROWDED));
  } else {
    crowded.store(std::max(crowded.load() - 1, 0));
  }
}

Running::~Running() { running.fetch_sub(1); }

bool Running::usually_alone() const { return crowded.load() == 0; }

void Team::meet() {
  const int meeting = meetings_.load();
  if (arrived_.fetch_add(1) + 1 == size_) {
    arrived_.store(0);
    meetings_.store(meeting + 1);
    return;
  }
  for (int turn = 0; meetings_.load(std::memory_order_acquire) == meeting; ++turn) {
    if (turn < TURNS) {
      pause();
    } else {
      std::this_thread::yield();
    }
  }
}

}  // namespace rnnsuite
