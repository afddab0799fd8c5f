// See grammar.h.
#include "runtime/grammar.h"

#include <algorithm>
#include <utility>

namespace ink {

using NodeKind = GrammarNode::Kind;

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

// What a node's successors say about it.
uint16_t Grammar::measure(const GrammarNode& node, const std::vector<uint16_t>& depths,
                          bool has_pieces) const {
  const uint16_t next = depths[node.next];
  const auto called = [&](uint32_t rule) {
    return depths[rule] >= kNever - 1 ? kNever : static_cast<uint16_t>(depths[rule] + 1);
  };
  switch (node.kind) {
    case NodeKind::kEnd:
    case NodeKind::kReturn:
      return 0;
    case NodeKind::kBytes:
      return byte_sets_[node.what].any() ? next : kNever;
    case NodeKind::kMarker:
      return std::max<uint16_t>(next, 1);  // it may have to be spelled by its rule
    case NodeKind::kSplit:
      return std::min(next, depths[node.what]);
    case NodeKind::kCall:
      return nodes_[node.next].kind == NodeKind::kReturn ? depths[node.what]
                                                         : std::max(next, called(node.what));
    case NodeKind::kRepeat:
      return repeats_[node.what].least == 0 ? next : std::max(next, called(repeats_[node.what].rule));
    case NodeKind::kCopied:
      return has_pieces ? next : kNever;
  }
  return kNever;
}

// Nodes are built from the end, so most know their successors in one round over all of them; after that only
// the users of a node that has changed are asked again.
std::vector<uint16_t> Grammar::find_depths(bool has_pieces) const {
  const auto for_each_successor = [&](const GrammarNode& node, const auto& visit) {
    if (node.kind == NodeKind::kEnd || node.kind == NodeKind::kReturn) return;
    visit(node.next);
    if (node.kind == NodeKind::kSplit || node.kind == NodeKind::kCall) visit(node.what);
    if (node.kind == NodeKind::kRepeat) visit(repeats_[node.what].rule);
  };
  std::vector<uint32_t> first(nodes_.size() + 1);
  for (const GrammarNode& node : nodes_) for_each_successor(node, [&](uint32_t to) { ++first[to + 1]; });
  for (size_t i = 0; i < nodes_.size(); ++i) first[i + 1] += first[i];
  std::vector<uint32_t> users(first.back()), filled(first.begin(), first.end() - 1);
  for (uint32_t i = 0; i < nodes_.size(); ++i)
    for_each_successor(nodes_[i], [&](uint32_t to) { users[filled[to]++] = i; });
  std::vector<uint16_t> depths(nodes_.size(), kNever);
  std::vector<uint32_t> open(nodes_.size());
  for (uint32_t i = 0; i < nodes_.size(); ++i) open[i] = static_cast<uint32_t>(nodes_.size() - 1 - i);
  while (!open.empty()) {
    const uint32_t i = open.back();
    open.pop_back();
    const uint16_t depth = measure(nodes_[i], depths, has_pieces);
    if (depth >= depths[i]) continue;
    depths[i] = depth;
    open.insert(open.end(), users.begin() + first[i], users.begin() + first[i + 1]);
  }
  return depths;
}

uint32_t GrammarBuilder::add(NodeKind kind, uint32_t what, uint32_t next) {
  full_ = full_ || grammar_.nodes_.size() >= kMaxNodes;
  if (full_) return 0;
  grammar_.nodes_.push_back({kind, in_reply_, what, next});
  return static_cast<uint32_t>(grammar_.nodes_.size() - 1);
}

uint32_t GrammarBuilder::end() { return add(NodeKind::kEnd, 0, 0); }
uint32_t GrammarBuilder::done() { return add(NodeKind::kReturn, 0, 0); }
uint32_t GrammarBuilder::copied(uint32_t next) { return add(NodeKind::kCopied, 0, next); }
uint32_t GrammarBuilder::call(uint32_t rule, uint32_t next) { return add(NodeKind::kCall, rule, next); }
uint32_t GrammarBuilder::open_split() { return add(NodeKind::kSplit, 0, 0); }

uint32_t GrammarBuilder::bytes(const ByteSet& set, uint32_t next) {
  const auto [known, is_new] = set_index_.try_emplace(set, static_cast<uint32_t>(grammar_.byte_sets_.size()));
  if (is_new) grammar_.byte_sets_.push_back(set);
  return add(NodeKind::kBytes, known->second, next);
}

uint32_t GrammarBuilder::text(std::string_view text, uint32_t next) {
  for (size_t i = text.size(); i > 0; --i) next = bytes(bytes_of(text.substr(i - 1, 1)), next);
  return next;
}

uint32_t GrammarBuilder::one_of(std::vector<std::string> texts, uint32_t next) {
  if (texts.empty()) return nothing();
  std::sort(texts.begin(), texts.end());
  texts.erase(std::unique(texts.begin(), texts.end()), texts.end());
  return one_of_sorted(texts.data(), texts.data() + texts.size(), 0, next);
}

// The texts from first to last are equal up to byte `at`. Recursion is over branches only: what is common is
// written in one go, and below a branch there are fewer texts.
uint32_t GrammarBuilder::one_of_sorted(const std::string* first, const std::string* last, size_t at,
                                       uint32_t next) {
  if (full_) return 0;
  if (last - first == 1) return text(std::string_view(*first).substr(at), next);
  size_t common = at;  // sorted: what the first and the last have in common, all have
  const std::string& end = *(last - 1);
  while (common < first->size() && common < end.size() && (*first)[common] == end[common]) ++common;
  uint32_t entry = 0;
  bool is_first = true;
  for (const std::string* from = first; from != last;) {
    const std::string* to = from + 1;
    uint32_t branch = next;
    if (from->size() > common) {
      while (to != last && (*to)[common] == (*from)[common]) ++to;
      const uint32_t tail = one_of_sorted(from, to, common + 1, next);
      branch = bytes(bytes_of(from->substr(common, 1)), tail);
    }
    entry = is_first ? branch : either(entry, branch);
    is_first = false;
    from = to;
  }
  return text(std::string_view(*first).substr(at, common - at), entry);
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
  return add(NodeKind::kMarker, index, next);
}

uint32_t GrammarBuilder::either(uint32_t first, uint32_t second) {
  return add(NodeKind::kSplit, second, first);
}

uint32_t GrammarBuilder::repeat(uint32_t rule, uint32_t least, uint32_t most, uint32_t next) {
  if (full_) return 0;
  grammar_.repeats_.push_back({rule, least, most});
  return add(NodeKind::kRepeat, static_cast<uint32_t>(grammar_.repeats_.size() - 1), next);
}

void GrammarBuilder::connect(uint32_t split, uint32_t first, uint32_t second) {
  if (full_) return;
  grammar_.nodes_[split].next = first;
  grammar_.nodes_[split].what = second;
}

void GrammarBuilder::set_character_rule(uint32_t rule, const ByteSet& ascii, bool others) {
  if (full_) return;
  Grammar::CharacterRule made{{}, ascii, others};
  std::vector<uint32_t> open = {rule};
  while (!open.empty()) {
    const uint32_t index = open.back();
    open.pop_back();
    const GrammarNode& node = grammar_.nodes_[index];
    if (node.kind == NodeKind::kBytes) made.beginnings.push_back(index);
    if (node.kind == NodeKind::kSplit) open.insert(open.end(), {node.next, node.what});
  }
  std::sort(made.beginnings.begin(), made.beginnings.end());
  grammar_.character_rules_.emplace(rule, std::move(made));
}

Grammar GrammarBuilder::finish(uint32_t start) {
  grammar_.start_ = start;
  grammar_.depths_ = grammar_.find_depths(true);
  grammar_.depths_without_pieces_ = grammar_.find_depths(false);
  return std::move(grammar_);
}

}  // namespace ink
