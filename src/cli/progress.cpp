// See cli/progress.h.
#include "cli/progress.h"

#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "cli/output.h"

namespace ink::cli {
namespace {

using namespace std::chrono_literals;
constexpr auto kPatience = 700ms;  // quicker work shows nothing
constexpr auto kRedraw = 100ms;
constexpr int kBarCells = 24;

bool terminal_can_redraw() {
  const char* terminal = std::getenv("TERM");
  return stderr_is_terminal() && terminal != nullptr && std::string_view(terminal) != "dumb";
}

void draw(const std::string& text) {
  [[maybe_unused]] const auto written = ::write(STDERR_FILENO, text.data(), text.size());
}

}  // namespace

std::string progress_line(const std::string& label, double fraction, double remaining_s) {
  const double done = std::clamp(fraction, 0.0, 1.0);
  const auto cells = static_cast<size_t>(std::lround(done * kBarCells));
  std::string line = label + " [" + std::string(cells, '#') + std::string(kBarCells - cells, '-') + "]";
  char tail[64];
  std::snprintf(tail, sizeof tail, " %3.0f %%", done * 100);
  line += tail;
  if (remaining_s >= 0) {
    const auto seconds = static_cast<long>(std::ceil(remaining_s));
    if (seconds >= 120)
      std::snprintf(tail, sizeof tail, "  %ld min left", (seconds + 59) / 60);
    else
      std::snprintf(tail, sizeof tail, "  %ld s left", seconds);
    line += tail;
  }
  return line;
}

Progress::Progress(std::string label) : label_(std::move(label)), enabled_(terminal_can_redraw()) {}

void Progress::update(double fraction) {
  if (!enabled_) return;
  const auto now = Clock::now();
  if (now - start_ < kPatience || now - last_drawn_ < kRedraw) return;
  last_drawn_ = now;
  const double elapsed_s = std::chrono::duration<double>(now - start_).count();
  const double remaining_s = fraction > 0.01 ? elapsed_s * (1 - fraction) / fraction : -1;
  draw("\r" + progress_line(label_, fraction, remaining_s) + "\x1b[K");
  drawn_ = true;
}

void Progress::clear() {
  if (drawn_) draw("\r\x1b[K");
  drawn_ = false;
}

}  // namespace ink::cli
