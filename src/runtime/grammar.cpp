// See grammar.h.
#include "runtime/grammar.h"

#include <algorithm>
#include <utility>

namespace ink {

using Kind = GrammarNode::Kind;

ByteSet byte_range(unsigned char first, unsigned char last) {
  ByteSet set;
  for (unsigned byte = first; byte <= last; ++byte) set.set(byte);
  return set;
}

ByteSet bytes_of(std::string_view bytes) {
  ByteSet set;
  for (const char c : bytes) set.set(static_cast<unsigned char>(c));
  return set;
}

// Rounds over all nodes until nothing changes. Nodes are built from the end, so most know their successors in
// the first round; only loops and repeats take more.
std::vector<bool> Grammar::find_finishing(bool has_pieces) const {
  std::vector<bool> finishes(nodes_.size(), false);
  const auto can_finish = [&](const GrammarNode& node) -> bool {
    switch (node.kind) {
      case Kind::kEnd:
      case Kind::kReturn:
        return true;
      case Kind::kBytes:
        return finishes[node.next] && byte_sets_[node.what].any();
      case Kind::kMarker:
        return finishes[node.next];
      case Kind::kSplit:
        return finishes[node.next] || finishes[node.what];
      case Kind::kCall:
        return finishes[node.next] && finishes[node.what];
      case Kind::kRepeat:
        return finishes[node.next] && (repeats_[node.what].least == 0 || finishes[repeats_[node.what].rule]);
      case Kind::kCopied:
        return finishes[node.next] && has_pieces;
    }
    return false;
  };
  for (bool changed = true; changed;) {
    changed = false;
    for (size_t i = 0; i < nodes_.size(); ++i) {
      if (finishes[i] || !can_finish(nodes_[i])) continue;
      finishes[i] = true;
      changed = true;
    }
  }
  return finishes;
}

uint32_t GrammarBuilder::add(Kind kind, uint32_t what, uint32_t next) {
  full_ = full_ || grammar_.nodes_.size() >= kMaxNodes;
  if (full_) return 0;
  grammar_.nodes_.push_back({kind, in_reply_, what, next});
  return static_cast<uint32_t>(grammar_.nodes_.size() - 1);
}

uint32_t GrammarBuilder::end() { return add(Kind::kEnd, 0, 0); }
uint32_t GrammarBuilder::done() { return add(Kind::kReturn, 0, 0); }
uint32_t GrammarBuilder::copied(uint32_t next) { return add(Kind::kCopied, 0, next); }
uint32_t GrammarBuilder::call(uint32_t rule, uint32_t next) { return add(Kind::kCall, rule, next); }
uint32_t GrammarBuilder::open_split() { return add(Kind::kSplit, 0, 0); }

uint32_t GrammarBuilder::bytes(const ByteSet& set, uint32_t next) {
  const auto [known, is_new] = set_index_.try_emplace(set, static_cast<uint32_t>(grammar_.byte_sets_.size()));
  if (is_new) grammar_.byte_sets_.push_back(set);
  return add(Kind::kBytes, known->second, next);
}

uint32_t GrammarBuilder::text(std::string_view text, uint32_t next) {
  for (size_t i = text.size(); i > 0; --i) next = bytes(bytes_of(text.substr(i - 1, 1)), next);
  return next;
}

uint32_t GrammarBuilder::marker(std::string_view text, uint32_t next) {
  auto& markers = grammar_.markers_;
  const auto known = std::find_if(markers.begin(), markers.end(),
                                  [&](const Grammar::Marker& marker) { return marker.text == text; });
  const auto index = static_cast<uint32_t>(known - markers.begin());
  if (known == markers.end()) {
    const uint32_t rule = this->text(text, done());
    markers.push_back({std::string(text), rule});
  }
  return add(Kind::kMarker, index, next);
}

uint32_t GrammarBuilder::either(uint32_t first, uint32_t second) { return add(Kind::kSplit, second, first); }

uint32_t GrammarBuilder::repeat(uint32_t rule, uint32_t least, uint32_t most, uint32_t next) {
  if (full_) return 0;
  grammar_.repeats_.push_back({rule, least, most});
  return add(Kind::kRepeat, static_cast<uint32_t>(grammar_.repeats_.size() - 1), next);
}

void GrammarBuilder::connect(uint32_t split, uint32_t first, uint32_t second) {
  if (full_) return;
  grammar_.nodes_[split].next = first;
  grammar_.nodes_[split].what = second;
}

Grammar GrammarBuilder::finish(uint32_t start) {
  grammar_.start_ = start;
  grammar_.finishes_ = grammar_.find_finishing(true);
  grammar_.finishes_without_pieces_ = grammar_.find_finishing(false);
  return std::move(grammar_);
}

}  // namespace ink
