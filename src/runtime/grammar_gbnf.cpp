// See grammar_gbnf.h. A rule that may be empty and one that calls itself on its left are found before
// anything is built: the network could not hold them (runtime/grammar.h).
#include "runtime/grammar_gbnf.h"

#include <algorithm>
#include <functional>
#include <set>

#include "runtime/grammar_gbnf_read.h"

namespace ink {
namespace {

constexpr uint32_t kMaxWrittenOut = 1000;      // of a repetition of what may be empty
constexpr uint64_t kMaxNestedRounds = 10'000;  // counted repetitions in each other, multiplied

class GbnfBuilder {
 public:
  GbnfBuilder(GrammarBuilder& builder, const GbnfRules& rules)
      : builder_(builder), characters_(builder), rules_(rules) {}

  Result<uint32_t> build(uint32_t next) {
    find_empty_rules();
    if (auto status = check_left_recursion(); !status.ok()) return status.error();
    for (const auto& [name, alternatives] : rules_) {
      if (nested_rounds(alternatives) > kMaxNestedRounds)
        return Error{ErrorKind::kTooLarge, "grammar, rule " + name, "fewer repetitions in each other", "more",
                     ""};
      entries_[name] = builder_.open_split();
    }
    for (const auto& [name, alternatives] : rules_) {
      const auto entry = add_alternatives(alternatives, builder_.done());
      if (!entry.ok()) return entry;
      builder_.connect(entries_[name], *entry, *entry);
      if (builder_.full()) break;
    }
    builder_.set_max_frames(kMostFrames);
    return builder_.call(entries_["root"], next);
  }

 private:
  bool may_be_empty(const GbnfItem& item) const {
    if (item.least == 0) return true;
    if (item.kind == GbnfItem::Kind::kSet) return false;
    return item.kind == GbnfItem::Kind::kRule ? empty_.count(item.rule) > 0 : may_be_empty(item.group);
  }
  bool may_be_empty(const GbnfAlternatives& alternatives) const {
    return std::any_of(alternatives.begin(), alternatives.end(), [&](const GbnfSequence& sequence) {
      return std::all_of(sequence.begin(), sequence.end(),
                         [&](const GbnfItem& item) { return may_be_empty(item); });
    });
  }
  void find_empty_rules() {
    for (size_t known = SIZE_MAX; known != empty_.size();) {
      known = empty_.size();
      for (const auto& [name, alternatives] : rules_) {
        if (may_be_empty(alternatives)) empty_.insert(name);
      }
    }
  }

  // The rules that a rule may call before it has taken a character.
  void collect_first_rules(const GbnfAlternatives& alternatives,
                           std::map<std::string, std::string>& first) const {
    for (const GbnfSequence& sequence : alternatives) {
      for (const GbnfItem& item : sequence) {
        if (item.kind == GbnfItem::Kind::kRule) first.try_emplace(item.rule, item.where);
        if (item.kind == GbnfItem::Kind::kAlternatives) collect_first_rules(item.group, first);
        if (!may_be_empty(item)) break;
      }
    }
  }
  // A circle of first calls; searched with a stack of its own, since a grammar may have thousands of rules.
  Status check_left_recursion() const {
    std::map<std::string, std::map<std::string, std::string>> first;
    for (const auto& [name, alternatives] : rules_) collect_first_rules(alternatives, first[name]);
    std::map<std::string, int> state;  // 1: on the way, 2: done
    for (const auto& [start, unused] : rules_) {
      std::vector<std::pair<std::string, bool>> open = {{start, false}};
      while (!open.empty()) {
        const auto [name, leaving] = open.back();
        open.pop_back();
        if (leaving) {
          state[name] = 2;
          continue;
        }
        if (state[name] != 0) continue;
        state[name] = 1;
        open.emplace_back(name, true);
        for (const auto& [called, where] : first[name]) {
          if (state[called] == 1)
            return Error{
                ErrorKind::kUnsupported, where, "a rule that takes a character before it calls itself",
                "left recursion of '" + called + "'", "write the list the other way round: item list"};
          if (state[called] == 0) open.emplace_back(called, false);
        }
      }
    }
    return Done{};
  }

  uint64_t nested_rounds(const GbnfAlternatives& alternatives) const {
    uint64_t most = 1;
    for (const GbnfSequence& sequence : alternatives) {
      for (const GbnfItem& item : sequence) {
        if (item.kind != GbnfItem::Kind::kAlternatives) continue;
        const uint64_t times = std::max<uint64_t>(item.most == kNoLimit ? item.least : item.most, 1);
        most = std::max(most, std::min<uint64_t>(times * nested_rounds(item.group), kMaxNestedRounds + 1));
      }
    }
    return most;
  }

  Result<uint32_t> add_alternatives(const GbnfAlternatives& alternatives, uint32_t next) {
    uint32_t entry = builder_.nothing();
    for (const GbnfSequence& sequence : alternatives) {
      uint32_t one = next;
      for (size_t i = sequence.size(); i > 0; --i) {
        const auto item = add_item(sequence[i - 1], one);
        if (!item.ok()) return item;
        one = *item;
      }
      entry = builder_.either(entry, one);
    }
    return entry;
  }

  Result<uint32_t> add_once(const GbnfItem& item, uint32_t next) {
    if (item.kind == GbnfItem::Kind::kSet) return characters_.add(item.set, Spelling::kText, next);
    if (item.kind == GbnfItem::Kind::kRule) return builder_.call(entries_[item.rule], next);
    return add_alternatives(item.group, next);
  }

  Result<uint32_t> add_item(const GbnfItem& item, uint32_t next) {
    if (item.least == 1 && item.most == 1) return add_once(item, next);
    if (item.least == 0 && item.most == 1) {
      const auto once = add_once(item, next);
      return once.ok() ? Result<uint32_t>(builder_.either(once.value(), next)) : once;
    }
    GbnfItem single = item;
    single.least = single.most = 1;
    if (item.most == kNoLimit && item.least <= 1) return add_loop(single, item.least, next);
    if (!may_be_empty(single)) {
      const auto rule = add_once(item, builder_.done());
      return rule.ok() ? Result<uint32_t>(builder_.repeat(rule.value(), item.least, item.most, next)) : rule;
    }
    // What may be empty n times may be there up to n times.
    if (item.most == kNoLimit) return add_loop(single, 0, next);
    if (item.most > kMaxWrittenOut)
      return Error{ErrorKind::kTooLarge, item.where,
                   "at most " + std::to_string(kMaxWrittenOut) + " times what may be empty",
                   std::to_string(item.most), ""};
    uint32_t entry = next;
    for (uint32_t i = 0; i < item.most && !builder_.full(); ++i) {
      const auto once = add_once(single, entry);
      if (!once.ok()) return once;
      entry = builder_.either(once.value(), next);
    }
    return entry;
  }

  Result<uint32_t> add_loop(const GbnfItem& single, uint32_t least, uint32_t next) {
    const uint32_t loop = builder_.open_split();
    const auto body = add_once(single, loop);
    if (!body.ok()) return body;
    builder_.connect(loop, body.value(), next);
    return least == 0 ? loop : body.value();
  }

  GrammarBuilder& builder_;
  CharacterRules characters_;
  const GbnfRules& rules_;
  std::set<std::string> empty_;
  std::map<std::string, uint32_t> entries_;
};

}  // namespace

Result<uint32_t> add_gbnf(GrammarBuilder& builder, std::string_view text, uint32_t next) {
  const auto rules = read_gbnf(text);
  if (!rules.ok()) return rules.error();
  return GbnfBuilder(builder, *rules).build(next);
}

}  // namespace ink
