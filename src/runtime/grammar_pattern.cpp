// See grammar_pattern.h. Built from the end to the beginning, as all of a grammar. With a length to keep,
// there is a row of nodes in place of each node: one for every count of characters that have been written.
#include "runtime/grammar_pattern.h"

#include <algorithm>
#include <vector>

namespace ink {
namespace {

constexpr uint64_t kMaxNestedTimes = 10'000;  // counted repetitions in each other, multiplied
constexpr size_t kMaxCountedLength = 4096;

uint32_t add_limited(uint32_t a, uint32_t b) { return a > kNoLimit - b ? kNoLimit : a + b; }
uint32_t multiply_limited(uint32_t a, uint32_t b) {
  if (a == 0 || b == 0) return 0;
  return a > (kNoLimit - 1) / b ? kNoLimit : a * b;
}

// How many characters can match.
Counts length_of(const PatternSequence& sequence);
Counts length_of_alternatives(const std::vector<PatternSequence>& alternatives) {
  Counts all{kNoLimit, 0};
  for (const PatternSequence& sequence : alternatives) {
    const Counts one = length_of(sequence);
    all = {std::min(all.least, one.least), std::max(all.most, one.most)};
  }
  return all;
}
Counts length_of_once(const PatternPart& part) {
  return part.is_group ? length_of_alternatives(part.alternatives) : Counts{1, 1};
}
Counts length_of(const PatternSequence& sequence) {
  Counts all{0, 0};
  for (const PatternPart& part : sequence) {
    const Counts one = length_of_once(part);
    all.least = add_limited(all.least, multiply_limited(one.least, part.least));
    all.most = add_limited(all.most, multiply_limited(one.most, part.most));
  }
  return all;
}

uint64_t nested_times(const PatternSequence& sequence) {
  uint64_t most = 1;
  for (const PatternPart& part : sequence) {
    if (!part.is_group) continue;
    uint64_t inside = 1;
    for (const PatternSequence& each : part.alternatives) inside = std::max(inside, nested_times(each));
    const uint32_t times = part.most == kNoLimit ? part.least : part.most;
    const bool counted = times > 1 && length_of_alternatives(part.alternatives).most > 1;
    most = std::max(most, inside * (counted ? times : 1));
  }
  return most;
}

class PatternBuilder {
 public:
  using Row = std::vector<uint32_t>;  // by the count of characters so far

  PatternBuilder(CharacterRules& characters, Spelling spelling, Counts length)
      : characters_(characters), builder_(characters.builder()), spelling_(spelling), most_(length.most) {
    const bool counted = length.least > 0 || length.most != kNoLimit;
    size_ = !counted ? 1 : size_t{length.most == kNoLimit ? length.least : length.most} + 1;
    nothing_ = builder_.nothing();
    last_.assign(size_, nothing_);
    for (size_t count = length.least; count < size_; ++count) last_[count] = kNoLimit;
  }

  uint32_t add(const Pattern::Branch& branch, uint32_t next) {
    Row row = last_;
    for (uint32_t& node : row) node = node == nothing_ ? nothing_ : next;
    PatternPart anything;
    anything.set = CodeSet::all();
    anything.least = 0, anything.most = kNoLimit;
    if (!branch.to_end) row = repeated(anything, row);
    row = build(branch.sequence, std::move(row));
    if (!branch.from_start) row = repeated(anything, row);
    return row[0];
  }

 private:
  Row build(const PatternSequence& sequence, Row next) {
    for (size_t i = sequence.size(); i > 0; --i) next = repeated(sequence[i - 1], next);
    return next;
  }

  Row once(const PatternPart& part, const Row& next) {
    Row row(size_, nothing_);
    if (!part.is_group) {
      for (size_t count = 0; count < size_; ++count) {
        const bool at_most = count + 1 == size_;
        const uint32_t after = !at_most ? next[count + 1] : most_ == kNoLimit ? next[count] : nothing_;
        if (after != nothing_) row[count] = characters_.add(part.set, spelling_, after);
      }
      return row;
    }
    for (size_t i = 0; i < part.alternatives.size(); ++i) {
      const Row other = build(part.alternatives[i], next);
      for (size_t count = 0; count < size_; ++count)
        row[count] = i == 0 ? other[count] : either(row[count], other[count]);
    }
    return row;
  }

  Row repeated(const PatternPart& part, const Row& next) {
    const Counts length = length_of_once(part);
    if (length.most == 0 || builder_.full()) return next;
    if (part.least == 1 && part.most == 1) return once(part, next);
    const bool by_count = part.most == kNoLimit ? part.least > 1 : part.most > 1;
    if (size_ == 1 && length.least > 0 && by_count) {
      const uint32_t rule =
          part.is_group ? once(part, {builder_.done()})[0] : characters_.rule(part.set, spelling_);
      return {builder_.repeat(rule, part.least, part.most, next[0])};
    }
    Row row = part.most == kNoLimit ? looped(part, next) : next;
    if (part.most != kNoLimit) {
      for (uint32_t i = part.least; i < part.most && !builder_.full(); ++i) {
        const Row longer = once(part, row);
        for (size_t count = 0; count < size_; ++count) row[count] = either(longer[count], next[count]);
      }
    }
    for (uint32_t i = 0; i < part.least && !builder_.full(); ++i) row = once(part, row);
    return row;
  }

  Row looped(const PatternPart& part, const Row& next) {
    Row row(size_);
    for (uint32_t& node : row) node = builder_.open_split();
    const Row body = once(part, row);
    for (size_t count = 0; count < size_; ++count) builder_.connect(row[count], body[count], next[count]);
    return row;
  }

  uint32_t either(uint32_t a, uint32_t b) {
    if (a == nothing_) return b;
    return b == nothing_ ? a : builder_.either(a, b);
  }

  CharacterRules& characters_;
  GrammarBuilder& builder_;
  Spelling spelling_;
  uint32_t most_;
  size_t size_ = 1;
  uint32_t nothing_ = 0;
  Row last_;  // where the text may end
};

}  // namespace

Result<uint32_t> add_pattern(CharacterRules& characters, std::string_view pattern, Spelling spelling,
                             Counts length, uint32_t next, const std::string& where) {
  auto read = read_pattern(pattern, where);
  if (!read.ok()) return read.error();
  const auto too_large = [&](std::string wanted, std::string got) {
    return Error{ErrorKind::kTooLarge, where + ".pattern", std::move(wanted), std::move(got), ""};
  };
  uint32_t entry = 0;
  for (const Pattern::Branch& branch : read->branches) {
    if (nested_times(branch.sequence) > kMaxNestedTimes)
      return too_large("at most " + std::to_string(kMaxNestedTimes) + " repetitions in each other", "more");
    const bool anchored = branch.from_start && branch.to_end;
    const Counts own =
        anchored ? length_of(branch.sequence) : Counts{length_of(branch.sequence).least, kNoLimit};
    const bool kept = own.least >= length.least && own.most <= length.most;
    const size_t longest = length.most == kNoLimit ? length.least : length.most;
    if (!kept && longest > kMaxCountedLength) {
      return too_large("a length of at most " + std::to_string(kMaxCountedLength) + " beside a pattern",
                       std::to_string(longest));
    }
    const uint32_t one = PatternBuilder(characters, spelling, kept ? Counts{} : length).add(branch, next);
    entry = &branch == &read->branches[0] ? one : characters.builder().either(entry, one);
  }
  return entry;
}

}  // namespace ink
