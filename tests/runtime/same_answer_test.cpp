// Law 1, without tolerance: the logits after every token have the same bits whatever the number of threads,
// the batch, the chunks of the prefill, or a reused prefix. Random prompts over every golden model, each
// kernel table; and answers under a constraint, which feeds several tokens at once where it leaves no choice.
#include <gtest/gtest.h>

#include <cstring>
#include <random>

#include "runtime/session.h"
#include "tests/golden_folder.h"
#include "tests/runtime/constraint_samples.h"

namespace ink {
namespace {

using Logits = std::vector<float>;

// Every model of the golden folders that this engine runs: folders of safetensors and GGUF files.
std::vector<std::filesystem::path> golden_models() {
  std::vector<std::filesystem::path> models;
  for (const char* kind : {"models", "gguf_models"}) {
    for (const auto& folder : testing::require_golden_paths(kind)) {
      for (const auto& entry : std::filesystem::directory_iterator(folder)) {
        const auto path = entry.is_directory() ? entry.path() / "model.safetensors" : entry.path();
        if (path.extension() != ".gguf" && path.extension() != ".safetensors") continue;
        const auto checkpoint = Checkpoint::open(path);
        if (!checkpoint.ok()) continue;
        const auto config = read_config(*checkpoint);
        if (config.ok() && config->head == ModelConfig::Head::kVocabulary) models.push_back(path);
      }
    }
  }
  EXPECT_FALSE(models.empty());
  return models;
}

std::unique_ptr<Scheduler> open(const std::filesystem::path& path, int threads, const char* kernels) {
  auto checkpoint = Checkpoint::open(path);
  EngineOptions options;
  options.threads = threads;
  options.max_sequences = 4;
  options.batch_tokens = 48;
  options.kernels = kernels;
  auto engine = Engine::open(std::move(*checkpoint), options);
  EXPECT_TRUE(engine.ok()) << engine.error().message();
  auto scheduler = Scheduler::create(*engine);
  EXPECT_TRUE(scheduler.ok());
  return std::move(*scheduler);
}

std::vector<int32_t> random_ids(std::mt19937& random, const Scheduler& scheduler, size_t count) {
  std::vector<int32_t> ids(count);
  const auto vocabulary = static_cast<uint32_t>(scheduler.engine().config().vocab_size);
  for (int32_t& id : ids) id = static_cast<int32_t>(random() % vocabulary);
  return ids;
}

// Logits after every token of the ids, in a sequence of its own.
std::vector<Logits> run(Scheduler& scheduler, const std::vector<int32_t>& ids, int64_t chunk) {
  const int sequence = *scheduler.open_sequence();
  std::vector<Logits> all;
  const Feed feed{sequence, ids, true};
  const Status done = scheduler.forward(
      std::span(&feed, 1),
      [&](size_t, int64_t, std::span<float> logits) {
        all.emplace_back(logits.begin(), logits.end());
        return true;
      },
      chunk);
  EXPECT_TRUE(done.ok());
  scheduler.close_sequence(sequence);
  return all;
}

void expect_same_bits(const std::vector<Logits>& a, const std::vector<Logits>& b, const std::string& what) {
  ASSERT_EQ(a.size(), b.size()) << what;
  for (size_t t = 0; t < a.size(); ++t) {
    ASSERT_EQ(a[t].size(), b[t].size()) << what;
    ASSERT_EQ(std::memcmp(a[t].data(), b[t].data(), a[t].size() * sizeof(float)), 0)
        << what << ", token " << t;
  }
}

// All sequences at once, one of which is `ids`; returns the logits of that one.
std::vector<Logits> run_among_others(Scheduler& scheduler, std::mt19937& random,
                                     const std::vector<int32_t>& ids) {
  std::vector<std::vector<int32_t>> prompts;
  std::vector<Feed> feeds;
  for (int i = 0; i < 4; ++i)
    prompts.push_back(i == 2 ? ids : random_ids(random, scheduler, 1 + random() % 80));
  for (const auto& prompt : prompts) feeds.push_back({*scheduler.open_sequence(), prompt, true});
  std::vector<Logits> all;
  const Status done = scheduler.forward(
      feeds,
      [&](size_t feed, int64_t, std::span<float> logits) {
        if (feed == 2) all.emplace_back(logits.begin(), logits.end());
        return true;
      },
      1 + static_cast<int64_t>(random() % 13));
  EXPECT_TRUE(done.ok());
  for (const Feed& feed : feeds) scheduler.close_sequence(feed.sequence);
  return all;
}

// Greedy ids of a session that answers `before` first and `ids` then, so that a common prefix is reused.
std::vector<int32_t> answer_after(Scheduler& scheduler, const std::vector<std::vector<int32_t>>& prompts,
                                  Constraint* constraint = nullptr) {
  auto session = Session::create(scheduler);
  EXPECT_TRUE(session.ok());
  GenerationOptions options;
  options.sampling.temperature = 0;
  options.max_tokens = constraint == nullptr ? 12 : 60;
  options.constraint = constraint;
  std::vector<int32_t> answer;
  for (const auto& prompt : prompts) {
    const auto result = (*session)->generate(prompt, options, [](const GeneratedPiece&) { return true; });
    EXPECT_TRUE(result.ok()) << result.error().message();
    answer = result->ids;
  }
  return answer;
}

void check_model(const std::filesystem::path& path, const char* kernels) {
  SCOPED_TRACE(path.string() + " on " + kernels);
  const auto one_thread = open(path, 1, kernels);
  const auto two_threads = open(path, 2, kernels);
  std::mt19937 random(20261123);
  for (int round = 0; round < 3; ++round) {
    const auto ids = random_ids(random, *one_thread, 1 + random() % 80);
    const auto whole = run(*one_thread, ids, 0);
    for (const int64_t chunk : {1, 7, 64}) {
      expect_same_bits(whole, run(*one_thread, ids, chunk), "chunks of " + std::to_string(chunk));
    }
    expect_same_bits(whole, run(*two_threads, ids, 0), "two threads");
    expect_same_bits(whole, run_among_others(*two_threads, random, ids), "in a batch, two threads");
    expect_same_bits(whole, run_among_others(*one_thread, random, ids), "in a batch, one thread");

    auto longer = ids;
    longer.push_back(random_ids(random, *one_thread, 1)[0]);
    auto other = ids;
    other.resize(ids.size() / 2 + 1);
    EXPECT_EQ(answer_after(*one_thread, {longer}), answer_after(*two_threads, {other, ids, longer}))
        << "reused prefix";
  }
}

TEST(SameAnswer, EveryGoldenModelOnEveryKernelTable) {
  const KernelTables& tables = available_kernel_tables();
  for (const auto& path : golden_models()) {
    for (int i = 0; i < tables.count; ++i) check_model(path, tables.table[i]->name);
  }
}

// A call under a constraint: threads, other sessions, cold or from the cache, and a second use of the
// constraint change nothing. On the host's best kernels: the tables are compared above, with smaller models.
TEST(SameAnswer, UnderAConstraint) {
  const std::string request = "remind me tomorrow to call Mom";
  const KernelTables& tables = available_kernel_tables();
  const char* kernels = tables.table[tables.count - 1]->name;
  const auto one_thread = open(testing::kPocketModel, 1, kernels);
  const auto two_threads = open(testing::kPocketModel, 2, kernels);
  const Tokenizer& tokenizer = *one_thread->engine().tokenizer();
  const auto grammar = testing::grammar_of(testing::catalogues()[0].tools, {.choice = ToolChoice::kRequired},
                                           TokenTree::create(tokenizer));
  const auto prompt = tokenizer.encode(request);
  const std::vector<int32_t> shorter(prompt.begin(), prompt.end() - 2);
  const auto first = testing::constraint_of(grammar, {.request = request});
  const auto second = testing::constraint_of(grammar, {.request = request});
  const auto answer = answer_after(*one_thread, {prompt}, first.get());
  EXPECT_FALSE(answer.empty());
  EXPECT_EQ(answer_after(*two_threads, {prompt}, second.get()), answer) << "two threads";
  EXPECT_EQ(answer_after(*one_thread, {shorter, prompt}, first.get()), answer) << "reused prefix";
  const auto other = Session::create(*two_threads);
  EXPECT_EQ(answer_after(*two_threads, {prompt, prompt}, first.get()), answer)
      << "cached, beside another session";
}

}  // namespace
}  // namespace ink
