// Who takes part in a step, and with how many tokens.
#include "runtime/step.h"

#include <gtest/gtest.h>

namespace ink {
namespace {

struct Waiting {
  std::vector<int32_t> tokens;
  Feed feed;
  PendingFeed pending;
};

// `tokens` of a sequence that waits.
std::unique_ptr<Waiting> waiting(int sequence, size_t tokens, Priority priority = Priority::kChat) {
  auto one = std::make_unique<Waiting>();
  one->tokens.assign(tokens, sequence);
  one->feed = {sequence, one->tokens, false, ModelOutput::kLogits};
  one->pending = {&one->feed, 0, 512, 0, priority};
  return one;
}

Step form(const std::vector<std::unique_ptr<Waiting>>& all, const StepLimits& limits) {
  std::vector<PendingFeed> pending;
  for (const auto& one : all) pending.push_back(one->pending);
  return form_step(pending, limits);
}

template <typename... Ones>
std::vector<std::unique_ptr<Waiting>> list(Ones... ones) {
  std::vector<std::unique_ptr<Waiting>> all;
  (all.push_back(std::move(ones)), ...);
  return all;
}

TEST(Step, AnswersGoFirstAndAPromptFillsWhatIsLeft) {
  StepLimits limits;
  limits.prompt_tokens = 64;
  const Step step = form(list(waiting(0, 300), waiting(1, 1), waiting(2, 4)), limits);
  EXPECT_EQ(step.taken, (std::vector<int64_t>{64, 1, 4}));
  EXPECT_EQ(step.sequences.front(), 1);
  EXPECT_EQ(step.output_rows.size(), 2U) << "the prompt is not at its end";
}

TEST(Step, APromptAloneTakesTheWholeBatch) {
  StepLimits limits;
  limits.prompt_tokens = 64;
  EXPECT_EQ(form(list(waiting(0, 700)), limits).taken, (std::vector<int64_t>{512}));
  limits.others_are_answering = true;
  EXPECT_EQ(form(list(waiting(0, 700)), limits).taken, (std::vector<int64_t>{64}));
}

TEST(Step, PromptsAreReadOneAfterTheOther) {
  const StepLimits limits;
  EXPECT_EQ(form(list(waiting(0, 400), waiting(1, 400)), limits).taken, (std::vector<int64_t>{400, 112}));
}

TEST(Step, AVoiceGoesFirst) {
  const StepLimits limits;
  const Step step = form(list(waiting(0, 600), waiting(1, 1), waiting(2, 100, Priority::kVoice),
                              waiting(3, 1, Priority::kBackground)),
                         limits);
  EXPECT_EQ(step.taken, (std::vector<int64_t>{0, 0, 100, 0})) << "while its prompt is read the others wait";
  const Step then = form(list(waiting(0, 600), waiting(1, 1), waiting(2, 1, Priority::kVoice)), limits);
  EXPECT_EQ(then.taken, (std::vector<int64_t>{510, 1, 1}));
}

TEST(Step, BackgroundWaitsForAChatPrompt) {
  const StepLimits limits;
  EXPECT_EQ(form(list(waiting(0, 1, Priority::kBackground), waiting(1, 600)), limits).taken,
            (std::vector<int64_t>{0, 512}));
}

TEST(Step, OneKindOfOutputForAllOfIt) {
  auto all = list(waiting(0, 1), waiting(1, 1));
  all[1]->feed.output = ModelOutput::kHidden;
  const Step step = form(all, {});
  EXPECT_EQ(step.taken, (std::vector<int64_t>{1, 0}));
  EXPECT_EQ(step.output, ModelOutput::kLogits);
}

TEST(Step, PiecesAndRowsAreLimited) {
  auto all = list(waiting(0, 40));
  all[0]->pending.at_most = 7;
  all[0]->pending.fed = 5;
  all[0]->pending.length = 105;
  const Step step = form(all, {});
  EXPECT_EQ(step.taken, (std::vector<int64_t>{7}));
  EXPECT_EQ(step.positions.front(), 105);
  all[0]->feed.all_logits = true;
  all[0]->pending.at_most = 512;
  StepLimits limits;
  limits.output_rows = 10;
  EXPECT_EQ(form(all, limits).taken, (std::vector<int64_t>{10}));
  EXPECT_TRUE(form({}, limits).tokens.empty());
}

}  // namespace
}  // namespace ink
