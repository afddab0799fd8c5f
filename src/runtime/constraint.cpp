// See constraint.h.
#include "runtime/constraint.h"

#include <algorithm>
#include <utility>

#include "runtime/constraint_walker.h"

namespace ink {
namespace {

using State = GrammarWalker::State;

constexpr size_t kMaxRequestBytes = size_t{1} << 16;
// What a walker may remember between tokens: about 5 MB. While one mask is computed there may be more, up to
// kMaxPlaces (24 MB), which only a hostile grammar reaches.
constexpr size_t kMaxStates = 4096;
constexpr size_t kMaxPlaces = size_t{1} << 21;
// Nodes of the tree that a mask has to have cost to be kept for others: below, computing is as fast as
// finding.
constexpr size_t kCostlyMask = 1000;

}  // namespace

// The walk through one answer.
class Constraint::Walk {
 public:
  Walk(std::shared_ptr<const TokenGrammar> grammar, const ConstraintOptions& options)
      : grammar_(std::move(grammar)),
        max_reply_tokens_(options.max_reply_tokens),
        walker_(*grammar_, options.request) {
    reset();
  }

  void reset() {
    state_ = walker_.start();
    reply_tokens_ = 0;
    mask_.reset();
  }
  bool possible() const { return state_ != GrammarWalker::kDead; }
  bool can_stop() const { return walker_.at_end(state_); }
  const Tokenizer& tokenizer() const { return grammar_->tree().tokenizer(); }

  const TokenMask& allowed() {
    if (mask_ == nullptr) mask_ = reply_is_over() ? last_of_reply() : mask_of_state();
    return *mask_;
  }

  bool accept(int32_t id) {
    if (!allowed().test(id)) return false;
    const auto markers = walker_.marker_tokens(state_);
    if (std::find(markers.begin(), markers.end(), id) != markers.end()) {
      state_ = walker_.step_marker(state_, id);
    } else {
      for (const char c : tokenizer().token_bytes(id)) state_ = walker_.step(state_, static_cast<uint8_t>(c));
    }
    if (walker_.in_reply(state_)) ++reply_tokens_;
    if (walker_.states() > kMaxStates || walker_.places() > kMaxPlaces / 2)
      state_ = walker_.forget_others(state_);
    mask_.reset();
    return true;
  }

 private:
  using MaskPointer = std::shared_ptr<const TokenMask>;

  bool reply_is_over() const {
    return max_reply_tokens_ > 0 && reply_tokens_ >= max_reply_tokens_ && walker_.in_reply(state_);
  }
  // Nothing, or what completes a character that has begun.
  MaskPointer last_of_reply() {
    auto mask = std::make_shared<TokenMask>(tokenizer().vocabulary_size());
    if (!can_stop()) fill(*mask, byte_range(0x80, 0xbf));
    return mask;
  }
  MaskPointer mask_of_state() {
    const std::string key = walker_.key(state_);
    if (auto known = grammar_->find_mask(key)) return known;
    auto mask = std::make_shared<TokenMask>(tokenizer().vocabulary_size());
    Filled filled = fill(*mask, ByteSet().set());
    if (!filled.complete) {  // once more with the room that what was remembered took
      state_ = walker_.forget_others(state_);
      mask->clear();
      filled = fill(*mask, ByteSet().set());
    }
    for (const int32_t token : walker_.marker_tokens(state_)) mask->set(token, true);
    if (!filled.met_request && filled.nodes >= kCostlyMask) grammar_->keep_mask(key, mask);
    return mask;
  }

  struct Filled {
    size_t nodes = 0;          // of the tree that were visited
    bool met_request = false;  // and the request had a say in some of them
    bool complete = true;
  };
  Filled fill(TokenMask& mask, const ByteSet& alphabet);

  std::shared_ptr<const TokenGrammar> grammar_;
  int64_t max_reply_tokens_;
  GrammarWalker walker_;
  State state_ = 0;
  int64_t reply_tokens_ = 0;
  MaskPointer mask_;         // of the state, when it is known
  std::vector<State> path_;  // by depth in the tree
};

// Allows every token of these bytes that can be walked. When that takes more memory than is granted, tokens
// of one byte are allowed all the same, so that the answer can go on, and the rest of the tree is left out:
// by the state alone and not by what was walked before, since the answer must not depend on that.
Constraint::Walk::Filled Constraint::Walk::fill(TokenMask& mask, const ByteSet& alphabet) {
  const TokenTree& tree = grammar_->tree();
  const auto& nodes = tree.nodes();
  path_.resize(size_t{tree.longest_bytes()} + 1);
  path_[0] = state_;
  Filled filled{0, walker_.in_copy(state_), true};
  // Takes the byte of node i, and the tokens that end there.
  const auto enter = [&](uint32_t i) {
    const TokenTree::Node& node = nodes[i];
    ++filled.nodes;
    if (!alphabet[node.byte]) return false;
    const State to = walker_.step(path_[node.depth - 1u], node.byte);
    if (to == GrammarWalker::kDead) return false;
    filled.met_request = filled.met_request || walker_.in_copy(to);
    path_[node.depth] = to;
    for (uint32_t t = node.first_token; t < nodes[i + 1].first_token; ++t) mask.set(tree.tokens()[t], true);
    return true;
  };
  std::vector<uint32_t> roots;
  for (unsigned byte = 0; byte < 256; ++byte) {
    const uint32_t root =
        walker_.next_bytes(state_)[byte] ? tree.child_of_root(static_cast<uint8_t>(byte)) : 0;
    if (root != 0 && enter(root)) roots.push_back(root);
  }
  for (const uint32_t root : roots) {
    path_[1] = walker_.step(state_, nodes[root].byte);
    for (uint32_t i = root + 1; i < nodes[root].after;) {
      i = enter(i) ? i + 1 : nodes[i].after;
      if (walker_.places() <= kMaxPlaces) continue;
      filled.complete = false;
      return filled;
    }
  }
  return filled;
}

Constraint::Constraint(std::unique_ptr<Walk> walk) : walk_(std::move(walk)) {}
Constraint::~Constraint() = default;

Result<std::unique_ptr<Constraint>> Constraint::create(std::shared_ptr<const TokenGrammar> grammar,
                                                       const ConstraintOptions& options) {
  if (options.request.size() > kMaxRequestBytes) {
    return Error{ErrorKind::kTooLarge, "request", "at most " + std::to_string(kMaxRequestBytes) + " bytes",
                 std::to_string(options.request.size()), ""};
  }
  if (options.max_reply_tokens == 0)
    return Error{ErrorKind::kInvalid, "max_reply_tokens", "at least 1, or -1 for no limit", "0", ""};
  auto walk = std::make_unique<Walk>(std::move(grammar), options);
  if (!walk->possible()) {
    return Error{ErrorKind::kInvalid, "tools", "one that can be called",
                 "only tools with an argument that is copied from the request, and nothing to copy", ""};
  }
  return std::unique_ptr<Constraint>(new Constraint(std::move(walk)));
}

const TokenMask& Constraint::allowed() { return walk_->allowed(); }
bool Constraint::can_stop() const { return walk_->can_stop(); }
bool Constraint::accept(int32_t id) { return walk_->accept(id); }
void Constraint::reset() { walk_->reset(); }
const Tokenizer& Constraint::tokenizer() const { return walk_->tokenizer(); }

std::optional<int32_t> Constraint::forced() {
  if (can_stop() || allowed().count() != 1) return std::nullopt;
  return allowed().lowest();
}

bool Constraint::must_stop() { return can_stop() && allowed().count() == 0; }

}  // namespace ink
