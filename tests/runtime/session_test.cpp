// A session's behaviour at its edges: stops, limits, a full context, reuse, cancelling, refused prompts. The
// models are tiny golden ones with random weights: what they say means nothing, but it is the same every
// time.
#include "runtime/session.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "tests/golden_folder.h"
#include "tests/runtime/constraint_samples.h"
#include "text/tool_calls.h"

namespace ink {
namespace {

class SessionTest : public ::testing::Test {
 protected:
  void SetUp() override {
    const auto folders = testing::require_golden_paths("gguf_models");
    ASSERT_FALSE(folders.empty());
    for (const auto& entry : std::filesystem::directory_iterator(folders.front())) {
      if (entry.path().filename().string().ends_with("f32.gguf")) open(entry.path(), 64);
    }
    ASSERT_NE(session_, nullptr) << "no f32 GGUF file in " << folders.front();
  }

  void open(const std::filesystem::path& path, int64_t context) {
    auto checkpoint = Checkpoint::open(path);
    ASSERT_TRUE(checkpoint.ok()) << checkpoint.error().message();
    EngineOptions options;
    options.context_tokens = context;
    options.batch_tokens = 16;
    auto engine = Engine::open(std::move(*checkpoint), options);
    ASSERT_TRUE(engine.ok()) << engine.error().message();
    engine_ = *engine;
    auto scheduler = Scheduler::create(engine_);
    ASSERT_TRUE(scheduler.ok());
    scheduler_ = std::move(*scheduler);
    auto session = Session::create(*scheduler_);
    ASSERT_TRUE(session.ok());
    session_ = std::move(*session);
  }

  static GenerationOptions greedy(int64_t max_tokens) {
    GenerationOptions options;
    options.sampling.temperature = 0;
    options.max_tokens = max_tokens;
    return options;
  }

  // Generates and checks that the pieces joined are the text.
  GenerationResult generate(const std::vector<int32_t>& prompt, const GenerationOptions& options) {
    std::string joined;
    auto result = session_->generate(prompt, options, [&](const GeneratedPiece& piece) {
      joined += piece.text;
      return true;
    });
    EXPECT_TRUE(result.ok()) << result.error().message();
    EXPECT_EQ(joined, result->text);
    return std::move(*result);
  }

  ErrorKind refusal(const std::vector<int32_t>& prompt) {
    const auto result = session_->generate(prompt, greedy(1), [](const GeneratedPiece&) { return true; });
    EXPECT_FALSE(result.ok());
    return result.error().kind;
  }

  std::shared_ptr<const Engine> engine_;
  std::unique_ptr<Scheduler> scheduler_;
  std::unique_ptr<Session> session_;
  const std::vector<int32_t> prompt_ = {5, 17, 3, 41, 8};
};

TEST_F(SessionTest, RefusesPromptsThatCannotBe) {
  EXPECT_EQ(refusal({}), ErrorKind::kInvalid);
  EXPECT_EQ(refusal({-1}), ErrorKind::kInvalid);
  EXPECT_EQ(refusal({static_cast<int32_t>(engine_->config().vocab_size)}), ErrorKind::kInvalid);
  EXPECT_EQ(refusal(std::vector<int32_t>(65, 1)), ErrorKind::kTooLarge);
  EXPECT_EQ(generate(prompt_, greedy(4)).ids.size(), 4u) << "a refused prompt leaves the session usable";
}

TEST_F(SessionTest, StopsAtTheAskedLength) {
  for (const int64_t count : {0, 1, 7}) {
    const auto result = generate(prompt_, greedy(count));
    EXPECT_EQ(static_cast<int64_t>(result.ids.size()), count);
    EXPECT_EQ(result.finish, FinishReason::kLength);
    EXPECT_EQ(result.prompt_tokens, 5);
  }
}

TEST_F(SessionTest, AStopTokenEndsTheAnswerAndIsNotPartOfIt) {
  const auto free = generate(prompt_, greedy(10));
  auto options = greedy(10);
  options.stop_tokens = {free.ids[4]};
  const auto stopped = generate(prompt_, options);
  const auto first = std::find(free.ids.begin(), free.ids.end(), free.ids[4]) - free.ids.begin();
  EXPECT_EQ(stopped.finish, FinishReason::kStop);
  EXPECT_EQ(stopped.ids, std::vector<int32_t>(free.ids.begin(), free.ids.begin() + first));
}

TEST_F(SessionTest, AStopStringAcrossTokensIsNeverShown) {
  const auto free = generate(prompt_, greedy(12));
  ASSERT_GT(free.text.size(), 8u);
  auto options = greedy(12);
  options.stop_strings = {"no such text", free.text.substr(3, 4)};
  const auto stopped = generate(prompt_, options);
  EXPECT_EQ(stopped.finish, FinishReason::kStop);
  EXPECT_EQ(stopped.stop_string, options.stop_strings[1]);
  EXPECT_EQ(stopped.text, free.text.substr(0, free.text.find(options.stop_strings[1])));

  options.stop_strings = {free.text + "and more that never comes"};
  EXPECT_EQ(generate(prompt_, options).text, free.text)
      << "text held back for a stop string appears in the end";
}

TEST_F(SessionTest, CancellingStopsAtOnceAndLeavesTheSessionUsable) {
  const auto free = generate(prompt_, greedy(6));
  int seen = 0;
  const auto cancelled =
      session_->generate(prompt_, greedy(6), [&](const GeneratedPiece&) { return ++seen < 3; });
  ASSERT_TRUE(cancelled.ok());
  EXPECT_EQ(cancelled->finish, FinishReason::kCancelled);
  EXPECT_EQ(cancelled->ids.size(), 3u);
  EXPECT_EQ(generate(prompt_, greedy(6)).ids, free.ids);
}

TEST_F(SessionTest, APromptCanBeCancelledWhileItIsRead) {
  std::vector<int32_t> prompt(50);
  for (size_t i = 0; i < prompt.size(); ++i) prompt[i] = static_cast<int32_t>(i * 7 % 90);
  int64_t read = 0;
  const auto cancelled = session_->generate(
      prompt, greedy(4), [](const GeneratedPiece&) { return true; },
      [&](int64_t done, int64_t total) {
        EXPECT_EQ(total, 50);
        read = done;
        return done < 32;  // batches of 16
      });
  ASSERT_TRUE(cancelled.ok());
  EXPECT_EQ(cancelled->finish, FinishReason::kCancelled);
  EXPECT_TRUE(cancelled->ids.empty());
  EXPECT_EQ(read, 32);
  EXPECT_EQ(session_->tokens().size(), 32u);
  const auto again = generate(prompt, greedy(4));
  EXPECT_EQ(again.cached_tokens, 32) << "what was read is not read again";
  auto other = prompt;
  other[0] = 91;
  generate(other, greedy(1));
  EXPECT_EQ(generate(prompt, greedy(4)).ids, again.ids);
}

TEST_F(SessionTest, AFullContextEndsTheAnswerUnlessItMayShift) {
  const auto full = generate(prompt_, greedy(-1));
  EXPECT_EQ(full.finish, FinishReason::kContextFull);
  EXPECT_EQ(full.ids.size(), 64u - 5u + 1u) << "the last token needs no place of its own";

  auto options = greedy(150);
  options.context_shift = true;
  options.keep_tokens = 5;
  const auto shifted = generate(prompt_, options);
  EXPECT_EQ(shifted.finish, FinishReason::kLength);
  EXPECT_EQ(shifted.ids.size(), 150u);
  EXPECT_TRUE(std::equal(prompt_.begin(), prompt_.end(), session_->tokens().begin())) << "kept tokens stay";
  EXPECT_TRUE(std::equal(full.ids.begin(), full.ids.end(), shifted.ids.begin()));
}

TEST_F(SessionTest, KeepsTheLongestCommonPrefix) {
  const auto first = generate(prompt_, greedy(6));
  EXPECT_EQ(first.cached_tokens, 0);
  EXPECT_EQ(generate(prompt_, greedy(6)).cached_tokens, 4)
      << "the last prompt token is fed again for its logits";

  auto longer = prompt_;
  longer.insert(longer.end(), first.ids.begin(), first.ids.end());
  longer.push_back(9);
  EXPECT_EQ(generate(longer, greedy(1)).cached_tokens, 10) << "prompt and all answered tokens that were fed";

  auto other = longer;
  other[2] = 77;
  EXPECT_EQ(generate(other, greedy(1)).cached_tokens, 2);
}

TEST_F(SessionTest, SequencesRunOutWithAnError) {
  const auto second = Session::create(*scheduler_);
  ASSERT_FALSE(second.ok());
  EXPECT_EQ(second.error().kind, ErrorKind::kTooLarge);
  session_.reset();
  EXPECT_TRUE(Session::create(*scheduler_).ok()) << "a closed session gives its place back";
}

TEST_F(SessionTest, TheSameSeedDrawsTheSameAnswer) {
  auto options = greedy(16);
  options.sampling.temperature = 2.0f;
  options.sampling.seed = 7;
  const auto first = generate(prompt_, options);
  EXPECT_EQ(generate(prompt_, options).ids, first.ids);
  options.sampling.seed = 8;
  EXPECT_NE(generate(prompt_, options).ids, first.ids);
}

// The pocket model under its own catalogue.
class ConstrainedSession : public SessionTest {
 protected:
  void SetUp() override { open(testing::kPocketModel, 400); }

  std::unique_ptr<Constraint> constraint(std::string request, ToolChoice choice) {
    const auto tree = TokenTree::create(*engine_->tokenizer());
    return testing::constraint_of(
        testing::grammar_of(testing::catalogues()[0].tools, {.choice = choice}, tree),
        {.request = std::move(request)});
  }
  std::vector<int32_t> prompt_of(const std::string& request) {
    ChatMessage message;
    message.content = request;
    const auto segments = render_chat(engine_->chat_format().format, std::span(&message, 1), {});
    EXPECT_TRUE(segments.ok());
    return engine_->tokenizer()->encode(*segments);
  }
  AssistantTurn read(const GenerationResult& result) {
    return parse_turn(engine_->chat_format().format, result.text, {}, false);
  }
  // Greedy from a plain run of the model over prompt and answer, one logit row per token.
  std::vector<int32_t> replay(const std::vector<int32_t>& prompt, const std::vector<int32_t>& ids,
                              Constraint& rules, const std::vector<int32_t>& stops);
};

std::vector<int32_t> ConstrainedSession::replay(const std::vector<int32_t>& prompt,
                                                const std::vector<int32_t>& ids, Constraint& rules,
                                                const std::vector<int32_t>& stops) {
  std::vector<int32_t> all = prompt;
  all.insert(all.end(), ids.begin(), ids.end());
  scheduler_->truncate(0, 0);
  rules.reset();
  std::vector<int32_t> best;
  const Feed feed{0, all, true};
  const Status done =
      scheduler_->forward(std::span(&feed, 1), [&](size_t, int64_t token, std::span<float> logits) {
        const auto next = static_cast<size_t>(token + 1);
        if (next < prompt.size()) return true;
        TokenMask allowed = rules.allowed();
        for (const int32_t id : stops) allowed.set(id, rules.can_stop());
        allowed.apply(logits);
        best.push_back(static_cast<int32_t>(std::max_element(logits.begin(), logits.end()) - logits.begin()));
        if (next == all.size()) return true;
        EXPECT_TRUE(rules.accept(all[next]));
        return true;
      });
  EXPECT_TRUE(done.ok());
  return best;
}

TEST_F(ConstrainedSession, AnswersAreTheBestAllowedTokenByToken) {
  for (const char* request :
       {"turn on the kitchen light and set a timer for 20 minutes", "how are you", "叫我熄火"}) {
    for (const ToolChoice choice : {ToolChoice::kAuto, ToolChoice::kRequired, ToolChoice::kNone}) {
      const auto rules = constraint(request, choice);
      auto options = greedy(150);
      options.constraint = rules.get();
      options.stop_tokens = engine_->defaults().stop_tokens;
      const auto prompt = prompt_of(request);
      const auto result = generate(prompt, options);
      auto wanted = replay(prompt, result.ids, *rules, options.stop_tokens);
      if (result.finish == FinishReason::kStop) {
        EXPECT_TRUE(rules->can_stop());
      } else {
        EXPECT_EQ(result.ids.size(), 150u);
      }
      ASSERT_EQ(wanted.size(), result.ids.size() + 1);
      wanted.pop_back();
      EXPECT_EQ(result.ids, wanted) << "as if no token had been fed together with others";
      EXPECT_EQ(read(result).tool_calls.empty(), choice == ToolChoice::kNone || result.text.front() != '<');
    }
  }
}

TEST_F(ConstrainedSession, ACallThatIsCutOffIsNoCall) {
  const auto rules = constraint("set a timer for 20 minutes", ToolChoice::kRequired);
  const auto prompt = prompt_of("set a timer for 20 minutes");
  auto options = greedy(-1);
  options.constraint = rules.get();
  options.stop_tokens = engine_->defaults().stop_tokens;
  const auto whole = generate(prompt, options);
  ASSERT_EQ(whole.finish, FinishReason::kStop);
  ASSERT_FALSE(read(whole).tool_calls.empty());
  for (options.max_tokens = 0; options.max_tokens < static_cast<int64_t>(whole.ids.size());
       ++options.max_tokens) {
    const auto cut = generate(prompt, options);
    EXPECT_EQ(cut.finish, FinishReason::kLength);
    EXPECT_EQ(static_cast<int64_t>(cut.ids.size()), options.max_tokens);
    EXPECT_TRUE(std::equal(cut.ids.begin(), cut.ids.end(), whole.ids.begin()));
    EXPECT_LT(testing::calls_in(cut.text), testing::calls_in(whole.text) + (cut.text == whole.text ? 1 : 0));
    EXPECT_EQ(read(cut).tool_calls.size(), testing::calls_in(cut.text));
  }
}

TEST_F(ConstrainedSession, AFullContextCutsAtTheSameToken) {
  const auto prompt = prompt_of("set a timer for 20 minutes");
  const auto full = [&](int64_t context) {
    session_.reset();
    open(testing::kPocketModel, context);
    const auto rules = constraint("set a timer for 20 minutes", ToolChoice::kRequired);
    auto options = greedy(-1);
    options.constraint = rules.get();
    options.stop_tokens = engine_->defaults().stop_tokens;
    return generate(prompt, options);
  };
  const auto size = static_cast<int64_t>(prompt.size());
  const auto whole = full(400);
  for (const int64_t room : {0, 1, 2, 5, 9}) {
    const auto cut = full(size + room);
    EXPECT_EQ(cut.finish, FinishReason::kContextFull);
    EXPECT_EQ(static_cast<int64_t>(cut.ids.size()), room + 1) << "the last token needs no place";
    EXPECT_TRUE(std::equal(cut.ids.begin(), cut.ids.end(), whole.ids.begin()));
    EXPECT_TRUE(read(cut).tool_calls.empty());
  }
}

TEST_F(ConstrainedSession, ForcedTokensHaveProbabilityOne) {
  const auto rules = constraint("lights off", ToolChoice::kRequired);
  auto options = greedy(3);
  options.constraint = rules.get();
  options.sampling.logprobs = 2;
  int pieces = 0;
  const auto result = session_->generate(prompt_of("lights off"), options, [&](const GeneratedPiece& piece) {
    if (piece.id < 0) return true;
    EXPECT_NE(piece.sampled, nullptr);
    if (++pieces == 1) {
      EXPECT_EQ(piece.text, "<tool_call>");
      EXPECT_EQ(piece.sampled->logprob, 0);
      EXPECT_EQ(piece.sampled->top.size(), 1u);
    }
    return true;
  });
  ASSERT_TRUE(result.ok());
  EXPECT_EQ(pieces, 3);
}

TEST_F(ConstrainedSession, SleepsWhileTheModelThinks) {
  const auto tree = TokenTree::create(*engine_->tokenizer());
  const auto rules = testing::constraint_of(testing::grammar_of(
      testing::catalogues()[0].tools, {.choice = ToolChoice::kRequired, .after_thinking = true}, tree));
  auto options = greedy(80);
  options.constraint = rules.get();
  options.starts_in_thinking = true;
  options.thinking_budget = 4;
  options.stop_tokens = engine_->defaults().stop_tokens;
  const auto result = generate(prompt_of("lights off"), options);
  const size_t end = result.text.find("</think>\n\n");
  ASSERT_NE(end, std::string::npos) << result.text;
  EXPECT_TRUE(std::string_view(result.text).substr(end + 10).starts_with("<tool_call>\n{\"name\": \""))
      << result.text;
}

TEST_F(ConstrainedSession, RefusesAConstraintOfAnotherVocabulary) {
  const auto rules = testing::constraint_of(testing::grammar_of({}, {}, testing::byte_tree(true)));
  auto options = greedy(4);
  options.constraint = rules.get();
  const auto refused = session_->generate({1}, options, [](const GeneratedPiece&) { return true; });
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().kind, ErrorKind::kInvalid);
}

}  // namespace
}  // namespace ink
