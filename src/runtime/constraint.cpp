// See constraint.h.
#include "runtime/constraint.h"

#include <algorithm>
#include <utility>

#include "runtime/constraint_fill.h"

namespace ink {
namespace {

using State = GrammarWalker::State;

constexpr size_t kMaxRequestBytes = size_t{1} << 16;
// What a walker may remember between tokens.
constexpr size_t kKeptBytes = size_t{5} << 20;
// Bytes that a mask has to have cost to be kept for others: below, computing is as fast as finding.
constexpr size_t kCostlyMask = 1000;

}  // namespace

// The walk through one answer.
class Constraint::Walk {
 public:
  Walk(std::shared_ptr<const TokenGrammar> grammar, const ConstraintOptions& options)
      : grammar_(std::move(grammar)),
        max_reply_tokens_(options.max_reply_tokens),
        walker_(*grammar_, options.request),
        filler_(grammar_->tree()) {
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
    if (walker_.memory_bytes() > kKeptBytes) forget_others();
    mask_.reset();
    return true;
  }

 private:
  void forget_others() {
    state_ = walker_.forget_others(state_);
    filler_.forget();
  }
  using MaskPointer = std::shared_ptr<const TokenMask>;

  bool reply_is_over() const {
    return max_reply_tokens_ > 0 && reply_tokens_ >= max_reply_tokens_ && walker_.in_reply(state_);
  }
  // Nothing, or what completes a character that has begun.
  MaskPointer last_of_reply() {
    auto mask = std::make_shared<TokenMask>(tokenizer().vocabulary_size());
    if (!can_stop()) filler_.fill_bytes(walker_, state_, byte_range(0x80, 0xbf), *mask);
    return mask;
  }
  MaskPointer mask_of_state() {
    const std::string key = walker_.key(state_);
    if (auto known = grammar_->find_mask(key)) return known;
    auto mask = std::make_shared<TokenMask>(tokenizer().vocabulary_size());
    auto filled = filler_.fill(walker_, state_, *mask);
    if (!filled.complete) {  // once more with the room that what was remembered took
      forget_others();
      mask->clear();
      filled = filler_.fill(walker_, state_, *mask);
    }
    for (const int32_t token : walker_.marker_tokens(state_)) mask->set(token, true);
    if (!filled.met_request && filled.cost >= kCostlyMask) grammar_->keep_mask(key, mask);
    return mask;
  }

  std::shared_ptr<const TokenGrammar> grammar_;
  int64_t max_reply_tokens_;
  GrammarWalker walker_;
  State state_ = 0;
  int64_t reply_tokens_ = 0;
  MaskPointer mask_;  // of the state, when it is known
  MaskFiller filler_;
};

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
  const int32_t only = can_stop() ? -1 : allowed().only();
  return only < 0 ? std::nullopt : std::optional(only);
}

bool Constraint::must_stop() { return can_stop() && allowed().lowest() < 0; }

}  // namespace ink
