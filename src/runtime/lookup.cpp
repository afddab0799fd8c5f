// See runtime/lookup.h.
#include "runtime/lookup.h"

#include <algorithm>

namespace ink {
namespace {

constexpr size_t kShortest = 2;      // tokens that must stand alike
constexpr size_t kMostTried = 16;    // places where they do
constexpr size_t kLongest = 32;      // a longer match says no more
constexpr size_t kFollowed = 4;      // tokens alike before a difference for the text to be followed behind it
constexpr size_t kNearby = 8;        // tokens that an edit may leave out
constexpr size_t kMostMissed = 6;    // differences in a row
constexpr double kForget = 0.97;     // of the record, with every token
constexpr double kPriorTokens = 3;   // that the first opinion counts for
constexpr double kWorthIt = 1.2;     // times the speed of a plain step: costs and chances are only estimates
constexpr double kFirstPass = 1.15;  // of a plain step's time, and what every pass adds, until it is known
constexpr double kNextPass = 0.6;
constexpr double kNewCost = 0.25;  // the weight of the step just seen

// The first opinion of the candidates of each kind: matches of 2, 3, 4, 6, 9, 17 tokens and more, then of
// those that were resumed with 0, 1, 2, 4, 9 tokens and more.
constexpr size_t kResumed = 6;
constexpr double kFirstChance[] = {0.2, 0.5, 0.6, 0.75, 0.9, 0.95, 0.4, 0.6, 0.8, 0.9, 0.95};

}  // namespace

size_t Lookup::kind_of(bool resumed, size_t length) {
  if (resumed) return kResumed + (length >= 9 ? 4 : length >= 4 ? 3 : std::min<size_t>(length, 2));
  return length >= 17 ? 5 : length >= 9 ? 4 : length >= 6 ? 3 : length >= 4 ? 2 : length == 3 ? 1 : 0;
}

double Lookup::chance(bool resumed, size_t length) const {
  static_assert(std::size(kFirstChance) == kKinds);
  const size_t kind = kind_of(resumed, length);
  const Record& record = records_[kind];
  return (record.right + kPriorTokens * kFirstChance[kind]) / (record.total + kPriorTokens);
}

void Lookup::accept(int32_t id) {
  if (most_ == 0) return;
  const Candidate before = candidate_;
  const bool right = before.place != 0 && past_[before.place] == id;
  if (before.place != 0) {
    Record& record = records_[kind_of(before.resumed, before.length)];
    record.right = record.right * kForget + (right ? 1 : 0);
    record.total = record.total * kForget + 1;
  }
  past_.push_back(id);
  earlier_.push_back(0);
  if (past_.size() >= kShortest) {
    const uint64_t pair =
        uint64_t{static_cast<uint32_t>(past_[past_.size() - 2])} << 32 | static_cast<uint32_t>(id);
    uint32_t& latest = latest_[pair];
    earlier_.back() = latest;
    latest = static_cast<uint32_t>(past_.size());
  }
  if (right) {
    candidate_ = {before.place + 1, before.length + 1, before.resumed, 0};
    return;
  }
  candidate_ = find_longest();
  if (before.place == 0 || (before.length < kFollowed && !before.resumed)) return;
  const Candidate resumed = resume(before, id);
  if (resumed.place == 0) return;
  if (candidate_.place == 0 || chance(true, resumed.length) > chance(false, candidate_.length))
    candidate_ = resumed;
}

// Of the places where the last tokens stood before, the one with the most tokens alike; of equals the latest.
Lookup::Candidate Lookup::find_longest() const {
  Candidate best;
  uint32_t place = earlier_.back();
  for (size_t tried = 0; place != 0 && tried < kMostTried; ++tried, place = earlier_[place - 1]) {
    size_t length = kShortest;
    while (length < std::min<size_t>(place, kLongest) &&
           past_[place - 1 - length] == past_[past_.size() - 1 - length])
      ++length;
    if (length > best.length) best = {place, length, false, 0};
  }
  return best;
}

// The candidate said something else than `id`. An edit may have put other tokens in the place of some, left
// some out, or put some in: the nearest place with this token counts.
Lookup::Candidate Lookup::resume(const Candidate& broken, int32_t id) const {
  const size_t end = past_.size() - 1;  // without `id` itself
  const size_t missed = broken.missed + 1;
  if (missed > kMostMissed) return {};
  for (size_t away = 1; away <= kNearby; ++away) {
    if (broken.place + away < end && past_[broken.place + away] == id)
      return {broken.place + away + 1, 1, true, 0};
    if (away < missed && past_[broken.place - away] == id) return {broken.place - away + 1, 1, true, 0};
  }
  return broken.place + 1 < end ? Candidate{broken.place + 1, 0, true, missed} : Candidate{};
}

std::vector<int32_t> Lookup::guess(size_t at_most, size_t rows) const {
  if (candidate_.place == 0) return {};
  size_t best = 0;
  double best_speed = kWorthIt / cost(rows);
  double reached = 1;   // the chance that all tokens so far are right
  double expected = 1;  // tokens that the step gives
  for (size_t count = 1; count <= std::min(most_, at_most); ++count) {
    reached *= chance(candidate_.resumed, candidate_.length + count - 1);
    expected += reached;
    if (const double speed = expected / cost(rows + count); speed > best_speed) {
      best = count;
      best_speed = speed;
    }
  }
  std::vector<int32_t> tokens;
  const size_t known = past_.size() - candidate_.place;
  // Behind the end of the past the guess repeats itself, as an answer that has run into a loop does.
  for (size_t i = 0; i < best; ++i)
    tokens.push_back(i < known ? past_[candidate_.place + i] : tokens[i - known]);
  return tokens;
}

void Lookup::learn_cost(size_t rows, double seconds) {
  const size_t passes = rows <= 1 ? 0 : (rows + kPassRows - 1) / kPassRows;
  if (passes >= kCosts) return;
  double& known = costs_[passes];
  // A step that took much longer was disturbed. The first of all has nothing to be compared with.
  const double expected = known != 0 ? known : cost(rows);
  const double counted = costs_[0] == 0 ? seconds : std::min(seconds, 2 * expected);
  known = known == 0 ? counted : known + kNewCost * (counted - known);
}

// Of a step, in plain steps where nothing is known of it.
double Lookup::cost(size_t rows) const {
  const size_t passes = rows <= 1 ? 0 : std::min((rows + kPassRows - 1) / kPassRows, kCosts - 1);
  const double plain = costs_[0] == 0 ? 1 : costs_[0];
  if (passes == 0) return plain;
  if (costs_[0] != 0 && costs_[passes] != 0) return costs_[passes];
  return plain * (kFirstPass + kNextPass * static_cast<double>(passes - 1));
}

}  // namespace ink
