// See runtime/session.h. A generation is a loop of: feed what waits, sample from the last logits, publish
// what became readable. Tokens that are certain without the model (a constraint leaves no choice, or the
// thinking budget is used up) wait until logits are needed, and are then fed together. Text is held back
// while it could still be the beginning of a stop string.
#include "runtime/session.h"

#include <algorithm>
#include <chrono>

#include "runtime/constraint.h"
#include "runtime/lookup.h"
#include "text/stream_decoder.h"

namespace ink {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

// A prompt is read in pieces of about a second, because between two of them the caller may stop it: 512
// tokens of an 8B model can take a minute. Law 1 lets us choose them by the clock.
constexpr size_t kFirstPiece = 128;
constexpr size_t kLeastPiece = 16;
constexpr double kPieceSeconds = 1.0;

size_t next_piece(size_t tokens, double seconds, size_t most) {
  const double within = static_cast<double>(tokens) * kPieceSeconds / std::max(seconds, 1e-6);
  const double capped = std::min(within, static_cast<double>(most));
  return std::max(static_cast<size_t>(capped), std::min(kLeastPiece, most));
}

// The words that bring a thinking model to its answer (Qwen3's own recipe for a thinking budget).
constexpr std::string_view kBudgetWords =
    "\n\nConsidering the limited time by the user, I have to give the solution based on the thinking "
    "directly now.\n";

// Holds back text that may turn into a stop string.
class StopStrings {
 public:
  explicit StopStrings(const std::vector<std::string>& stops) : stops_(stops) {}

  // Adds text; returns what can be published. After a match `matched()` is set and the rest is swallowed.
  std::string push(std::string_view text) {
    if (!matched_.empty()) return "";
    held_ += text;
    size_t first = std::string::npos;
    for (const std::string& stop : stops_) {
      const size_t place = stop.empty() ? std::string::npos : held_.find(stop);
      if (place < first) {
        first = place;
        matched_ = stop;
      }
    }
    return release(first != std::string::npos ? first : held_.size() - possible_beginning());
  }
  // Text in which no stop string is looked for.
  std::string pass(std::string_view text) { return finish() += text; }
  std::string finish() { return matched_.empty() ? release(held_.size()) : ""; }
  const std::string& matched() const { return matched_; }

 private:
  std::string release(size_t count) {
    std::string text = held_.substr(0, count);
    held_.erase(0, count);
    return text;
  }
  // How many bytes at the end of held_ are the beginning of a stop string.
  size_t possible_beginning() const {
    size_t longest = 0;
    for (const std::string& stop : stops_) {
      for (size_t n = std::min(stop.size(), held_.size()); n > longest; --n) {
        if (std::string_view(held_).ends_with(std::string_view(stop).substr(0, n))) longest = n;
      }
    }
    return longest;
  }
  const std::vector<std::string>& stops_;
  std::string held_;
  std::string matched_;
};

// Counts thinking tokens and says when the budget is used up.
class ThinkingBudget {
 public:
  ThinkingBudget(const Tokenizer* tokenizer, const GenerationOptions& options)
      : budget_(options.thinking_budget), thinking_(options.starts_in_thinking) {
    if (tokenizer == nullptr) return;
    open_ = tokenizer->find_added("<think>").value_or(-1);
    close_ = tokenizer->find_added("</think>").value_or(-1);
    if (budget_ < 0 || close_ < 0) return;
    const TextSegment segments[] = {{std::string(kBudgetWords), false}, {"</think>", true}, {"\n\n", false}};
    words_ = tokenizer->encode(segments);
  }

  void accept(int32_t id) {
    if (id == open_) thinking_ = true;
    if (id == close_) thinking_ = false;
    if (thinking_ && id != open_) ++used_;
  }
  // Once: the tokens to put into the answer because the budget is used up.
  std::vector<int32_t> take_words() {
    if (!thinking_ || words_.empty() || used_ < budget_) return {};
    return std::exchange(words_, {});
  }
  bool thinking() const { return thinking_; }

 private:
  int64_t budget_;
  int64_t used_ = 0;
  bool thinking_;
  int32_t open_ = -1;
  int32_t close_ = -1;
  std::vector<int32_t> words_;
};

}  // namespace

// One call of generate: the state that lives as long as the answer grows.
class Session::Generation {
 public:
  Generation(Session& session, const GenerationOptions& options,
             const std::function<bool(const GeneratedPiece&)>& on_piece)
      : session_(session),
        options_(options),
        on_piece_(on_piece),
        tokenizer_(session.scheduler_.engine().tokenizer()),
        sampler_(options.sampling),
        budget_(tokenizer_, options),
        stops_(options.stop_strings),
        lookup_(std::min(options.lookup_tokens, session.scheduler_.engine().options().batch_tokens - 1)) {
    if (options.given_answer != nullptr) {
      const auto given = static_cast<int64_t>(options.given_answer->size());
      most_tokens_ = most_tokens_ < 0 ? given : std::min(most_tokens_, given);
    }
    if (tokenizer_ != nullptr) decoder_.emplace(*tokenizer_, true);
    if (options.constraint != nullptr) options.constraint->reset();
  }

  Status read_prompt(const std::vector<int32_t>& prompt,
                     const std::function<bool(int64_t, int64_t)>& on_prompt);
  Status run();
  void finish();
  GenerationResult result;

 private:
  // The constraint, unless it sleeps.
  Constraint* constraint() const { return budget_.thinking() ? nullptr : options_.constraint; }
  bool is_stop(int32_t id) const;
  std::optional<int32_t> next_word();
  SampledToken sample();
  void accept(int32_t id);
  Status feed_waiting(size_t count, const std::vector<int32_t>& guess = {});
  Status feed_waiting_and_guess();
  void advance(int32_t id);
  void drop_guess();
  Status make_room();
  Status stopped(const Status& fed);
  // Publishes a token; false when the answer is over.
  bool publish(int32_t id, const SampledToken* sampled);
  void flush();

  Session& session_;
  const GenerationOptions& options_;
  const std::function<bool(const GeneratedPiece&)>& on_piece_;
  int64_t most_tokens_ = options_.max_tokens;  // -1: no limit
  const Tokenizer* tokenizer_;
  Sampler sampler_;
  ThinkingBudget budget_;
  StopStrings stops_;
  std::optional<StreamDecoder> decoder_;
  std::vector<int32_t> words_;    // of the thinking budget, still to be said
  std::vector<int32_t> waiting_;  // published, not yet fed
  // Logits after the last token that waited, and after each guessed token behind it; longer guesses before
  // leave rows behind them. The answer has come as far as row_; guessed tokens before it are part of it,
  // those from it on are in the cache but not in session_.tokens_.
  std::vector<std::vector<float>> logits_;
  std::vector<int32_t> guess_;
  size_t row_ = 0;
  Lookup lookup_;
};

// What ends a generation from outside: an answer that was cancelled is an answer all the same. The cache
// forgets what was half fed.
Status Session::Generation::stopped(const Status& fed) {
  session_.scheduler_.truncate(session_.sequence_, static_cast<int64_t>(session_.tokens_.size()));
  if (fed.error().kind != ErrorKind::kCancelled) return fed;
  result.finish = FinishReason::kCancelled;
  return Done{};
}

Status Session::Generation::read_prompt(const std::vector<int32_t>& prompt,
                                        const std::function<bool(int64_t, int64_t)>& on_prompt) {
  const auto start = Clock::now();
  Scheduler& scheduler = session_.scheduler_;
  std::vector<int32_t>& cached = session_.tokens_;
  if (options_.explain_cache) result.divergence = scheduler.explain(prompt);
  // At least the last prompt token is fed again: its logits are needed.
  const auto common = static_cast<size_t>(scheduler.reuse(session_.sequence_, prompt));
  cached.assign(prompt.begin(), prompt.begin() + static_cast<int64_t>(common));
  result.prompt_tokens = static_cast<int64_t>(prompt.size());
  result.cached_tokens = static_cast<int64_t>(common);

  const auto most = static_cast<size_t>(scheduler.engine().options().batch_tokens);
  size_t piece = std::min(kFirstPiece, most);
  for (size_t done = common; done < prompt.size();) {
    const auto began = Clock::now();
    const size_t count = std::min(piece, prompt.size() - done);
    const Feed feed{session_.sequence_, std::span(prompt).subspan(done, count), false};
    const bool last = done + count == prompt.size();
    const Status fed = scheduler.forward(std::span(&feed, 1), [&](size_t, int64_t, std::span<float> logits) {
      if (last) logits_.assign(1, std::vector<float>(logits.begin(), logits.end()));
      return true;
    });
    if (!fed.ok()) return stopped(fed);
    cached.insert(cached.end(), feed.tokens.begin(), feed.tokens.end());
    done += count;
    piece = next_piece(count, seconds_since(began), most);
    if (on_prompt && !on_prompt(static_cast<int64_t>(done), result.prompt_tokens)) {
      result.finish = FinishReason::kCancelled;
      break;
    }
  }
  scheduler.share(session_.sequence_);
  for (const int32_t id : prompt) {
    sampler_.accept(id);
    lookup_.accept(id);
  }
  result.prompt_seconds = seconds_since(start);
  return Done{};
}

// For the last token that waits.
Status Session::Generation::make_room() {
  if (const Status fed = feed_waiting(waiting_.size() - 1); !fed.ok()) return fed;
  Scheduler& scheduler = session_.scheduler_;
  std::vector<int32_t>& tokens = session_.tokens_;
  const auto size = static_cast<int64_t>(tokens.size());
  const int64_t keep = std::clamp<int64_t>(options_.keep_tokens, 0, size / 2);
  const int64_t forget = std::max<int64_t>(1, (size - keep) / 2);
  // What follows the gap saw what is forgotten; it is computed anew rather than moved.
  std::vector<int32_t> kept(tokens.begin(), tokens.begin() + keep);
  const std::vector<int32_t> rest(tokens.begin() + keep + forget, tokens.end());
  scheduler.truncate(session_.sequence_, keep);
  tokens = std::move(kept);
  const Feed feed{session_.sequence_, rest, false};
  const Status fed =
      scheduler.forward(std::span(&feed, 1), [](size_t, int64_t, std::span<float>) { return true; });
  if (fed.ok()) tokens.insert(tokens.end(), rest.begin(), rest.end());
  return fed;
}

// Feeds the first `count` tokens that wait, and a guess behind them.
Status Session::Generation::feed_waiting(size_t count, const std::vector<int32_t>& guess) {
  if (count == 0) return Done{};
  const auto end = waiting_.begin() + static_cast<std::ptrdiff_t>(count);
  std::vector<int32_t> tokens(waiting_.begin(), end);
  tokens.insert(tokens.end(), guess.begin(), guess.end());
  const Feed feed{session_.sequence_, tokens, !guess.empty()};
  const auto start = Clock::now();
  const Status fed =
      session_.scheduler_.forward(std::span(&feed, 1), [&](size_t, int64_t token, std::span<float> logits) {
        const auto row =
            static_cast<size_t>(token) + 1 - count;  // of a token before the last that waits: many
        if (row >= logits_.size() && row <= guess.size()) logits_.resize(row + 1);
        if (row <= guess.size()) logits_[row].assign(logits.begin(), logits.end());
        return true;
      });
  if (!fed.ok()) return fed;
  lookup_.learn_cost(tokens.size(), seconds_since(start));
  session_.tokens_.insert(session_.tokens_.end(), waiting_.begin(), end);
  waiting_.erase(waiting_.begin(), end);
  guess_ = guess;
  row_ = 0;
  ++result.steps;
  result.guessed_tokens += static_cast<int64_t>(guess.size());
  return Done{};
}

Status Session::Generation::feed_waiting_and_guess() {
  if (waiting_.empty()) return Done{};
  const auto context = static_cast<size_t>(session_.scheduler_.capacity(session_.sequence_));
  const auto room = context - session_.tokens_.size() - waiting_.size();
  // The last token of the answer needs no place in the cache.
  const auto left = most_tokens_ < 0 ? room : static_cast<size_t>(most_tokens_) - result.ids.size() - 1;
  return feed_waiting(waiting_.size(), lookup_.guess(std::min(room, left), waiting_.size()));
}

// The answer goes on with `id`: as was guessed, or otherwise.
void Session::Generation::advance(int32_t id) {
  lookup_.accept(id);
  if (row_ < guess_.size() && guess_[row_] == id) {
    session_.tokens_.push_back(id);
    ++row_;
    ++result.guessed_right_tokens;
    return;
  }
  drop_guess();
  waiting_.push_back(id);
}

void Session::Generation::drop_guess() {
  if (guess_.empty()) return;
  session_.scheduler_.truncate(session_.sequence_, static_cast<int64_t>(session_.tokens_.size()));
  guess_.clear();
  row_ = 0;
}

// The next of the words that end the thinking, when it is their time.
std::optional<int32_t> Session::Generation::next_word() {
  if (words_.empty()) words_ = budget_.take_words();
  if (words_.empty()) return std::nullopt;
  const int32_t word = words_.front();
  words_.erase(words_.begin());
  return word;
}

SampledToken Session::Generation::sample() {
  std::vector<float>& logits = logits_[row_];
  if (constraint() == nullptr) return sampler_.sample(logits);
  TokenMask allowed = constraint()->allowed();
  if (constraint()->can_stop()) {
    for (const int32_t id : options_.stop_tokens) allowed.set(id, true);
  }
  return sampler_.sample(logits, &allowed);
}

// In the middle of a call, a stop token that is also text is text.
bool Session::Generation::is_stop(int32_t id) const {
  if (constraint() != nullptr && !constraint()->can_stop()) return false;
  return std::find(options_.stop_tokens.begin(), options_.stop_tokens.end(), id) !=
         options_.stop_tokens.end();
}

void Session::Generation::accept(int32_t id) {
  sampler_.accept(id);
  if (constraint() != nullptr) constraint()->accept(id);
  budget_.accept(id);
}

bool Session::Generation::publish(int32_t id, const SampledToken* sampled) {
  result.ids.push_back(id);
  const std::string text = decoder_ ? decoder_->push(id) : "";
  GeneratedPiece piece{id, budget_.thinking() ? stops_.pass(text) : stops_.push(text), sampled};
  result.text += piece.text;
  if (!on_piece_(piece)) {
    result.finish = FinishReason::kCancelled;
    return false;
  }
  result.stop_string = stops_.matched();
  if (!result.stop_string.empty()) result.finish = FinishReason::kStop;
  return result.stop_string.empty();
}

void Session::Generation::flush() {
  std::string tail = stops_.push(decoder_ ? decoder_->finish() : "");
  tail += stops_.finish();
  if (tail.empty()) return;
  result.text += tail;
  on_piece_({-1, tail, nullptr});
}

Status Session::Generation::run() {
  const auto start = Clock::now();
  const auto context = static_cast<size_t>(session_.scheduler_.capacity(session_.sequence_));
  result.finish = FinishReason::kLength;
  for (int64_t count = 0; most_tokens_ < 0 || count < most_tokens_; ++count) {
    if (constraint() != nullptr && constraint()->must_stop()) {
      result.finish = FinishReason::kStop;
      break;
    }
    if (session_.tokens_.size() + waiting_.size() > context) {
      if (!options_.context_shift) {
        result.finish = FinishReason::kContextFull;
        break;
      }
      const Status room = make_room();
      if (!room.ok()) return stopped(room);
      if (result.finish == FinishReason::kCancelled) break;
    }
    SampledToken sampled;
    const auto word = next_word();
    const auto forced = !word && constraint() != nullptr ? constraint()->forced() : std::nullopt;
    if (word || forced) {
      sampled.id = word ? *word : *forced;
      if (options_.sampling.logprobs > 0) sampled.top = {{sampled.id, 0}};
    } else {
      const Status fed = feed_waiting_and_guess();
      if (!fed.ok()) return stopped(fed);
      sampled = sample();
      if (options_.given_answer != nullptr) sampled.id = (*options_.given_answer)[result.ids.size()];
      if (is_stop(sampled.id)) {
        result.finish = FinishReason::kStop;
        break;
      }
    }
    accept(sampled.id);
    if (!publish(sampled.id, word ? nullptr : &sampled)) break;
    advance(sampled.id);
  }
  result.generation_seconds = seconds_since(start);
  return Done{};
}

// What was computed is there for others; text that was held back goes out.
void Session::Generation::finish() {
  drop_guess();
  session_.scheduler_.share(session_.sequence_);
  if (result.finish != FinishReason::kCancelled) flush();
}

Result<std::unique_ptr<Session>> Session::create(Scheduler& scheduler, const SequenceOptions& options) {
  auto sequence = scheduler.open_sequence(options);
  if (!sequence.ok()) return sequence.error();
  return std::unique_ptr<Session>(new Session(scheduler, *sequence));
}

Session::~Session() { scheduler_.close_sequence(sequence_); }

Result<GenerationResult> Session::generate(
    const std::vector<int32_t>& prompt, const GenerationOptions& options,
    const std::function<bool(const GeneratedPiece&)>& on_piece,
    const std::function<bool(int64_t done, int64_t total)>& on_prompt) {
  if (prompt.empty())
    return Error{ErrorKind::kInvalid, "prompt", "at least one token", "an empty prompt", ""};
  const int64_t context = scheduler_.capacity(sequence_);
  if (static_cast<int64_t>(prompt.size()) > context) {
    return Error{ErrorKind::kTooLarge, "prompt",
                 "at most " + std::to_string(context) + " tokens (the context)",
                 std::to_string(prompt.size()) + " tokens", "a larger --ctx-size holds more"};
  }
  const Tokenizer* tokenizer = scheduler_.engine().tokenizer();
  if (options.constraint != nullptr &&
      (tokenizer == nullptr ||
       tokenizer->vocabulary_size() != options.constraint->tokenizer().vocabulary_size())) {
    return Error{ErrorKind::kInvalid, "constraint", "one of the model's own vocabulary", "another", ""};
  }
  Generation generation(*this, options, on_piece);
  const Status read = generation.read_prompt(prompt, on_prompt);
  if (!read.ok()) return read.error();
  if (generation.result.finish == FinishReason::kCancelled) return std::move(generation.result);
  scheduler_.begin_answer(sequence_);
  const Status done = generation.run();
  scheduler_.end_answer(sequence_);
  if (!done.ok()) return done.error();
  generation.finish();
  return std::move(generation.result);
}

}  // namespace ink
