// A progress bar on stderr for work that takes longer than a moment: it appears only after that moment, only
// on a terminal, and is wiped away at the end, so that scripts and quick answers never see it.
#pragma once

#include <chrono>
#include <string>

namespace ink::cli {

class Progress {
 public:
  explicit Progress(std::string label);
  ~Progress() { clear(); }
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  void update(double fraction);  // 0 … 1
  void clear();

 private:
  using Clock = std::chrono::steady_clock;
  std::string label_;
  Clock::time_point start_ = Clock::now();
  Clock::time_point last_drawn_{};
  bool enabled_;
  bool drawn_ = false;
};

// "label [#####-----]  50 %  3 s left": one line of the bar. remaining_s < 0: not known yet.
std::string progress_line(const std::string& label, double fraction, double remaining_s);

}  // namespace ink::cli
