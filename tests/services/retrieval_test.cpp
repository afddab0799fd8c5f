// Embeddings and reranking (services/retrieval) against the reference: small models of every layout and the
// prompts of the published ones, from tests/golden and, where it is there, the large golden set.
#include "services/retrieval/retrieval.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "base/mapped_file.h"
#include "models/recipe.h"
#include "runtime/quantize.h"
#include "services/retrieval/last_states.h"
#include "services/retrieval/prompts.h"
#include "services/retrieval/ranking_head.h"
#include "tests/golden_folder.h"
#include "tests/text/tokenizer_golden.h"

namespace ink {
namespace {

namespace fs = std::filesystem;

// float32 through and through: what the default cache in f16 rounds is not in question here.
ServedModel open_served(const fs::path& path, int sequences = 4, int64_t context = 0) {
  EngineOptions options;
  options.threads = 2;
  options.max_sequences = sequences;
  options.context_tokens = context;
  options.cache_type = KvType::kF32;
  ServedModel model;
  auto checkpoint = Checkpoint::open(path);
  EXPECT_TRUE(checkpoint.ok()) << checkpoint.error().message();
  auto engine = Engine::open(std::move(*checkpoint), options);
  EXPECT_TRUE(engine.ok()) << engine.error().message();
  auto scheduler = Scheduler::create(*engine);
  EXPECT_TRUE(scheduler.ok()) << scheduler.error().message();
  model.name = path.filename().string();
  model.engine = *engine;
  model.scheduler = std::move(*scheduler);
  return model;
}

fs::path small(const std::string& name) { return fs::path(INK_SOURCE_DIR) / "tests/golden/retrieval" / name; }

const Json& small_cases() {
  static const Json cases = [] {
    const auto text = read_text_file(small("cases.json"), 1 << 20);
    EXPECT_TRUE(text.ok()) << text.error().message();
    return *parse_json(*text, "cases.json");
  }();
  return cases;
}

template <typename T>
std::vector<T> numbers(const Checkpoint& file, const std::string& name) {
  const FileTensor* tensor = file.find(name);
  EXPECT_NE(tensor, nullptr) << name;
  std::vector<T> values(tensor == nullptr ? 0 : tensor->bytes.size() / sizeof(T));
  if (tensor != nullptr) std::memcpy(values.data(), tensor->bytes.data(), tensor->bytes.size());
  return values;
}

double difference(std::span<const float> a, std::span<const float> b) {
  if (a.size() != b.size()) return INFINITY;
  double largest = 0;
  for (size_t i = 0; i < a.size(); ++i)
    largest = std::max(largest, std::abs(static_cast<double>(a[i]) - static_cast<double>(b[i])));
  return largest;
}

const std::atomic<bool> kNeverCancelled = false;

// The embedding cases of one instruction, all in one request.
EmbeddingRequest request_of(const std::string& instruction, std::optional<int64_t> dimensions) {
  EmbeddingRequest request{{}, instruction, dimensions};
  for (const Json& row : small_cases()["embedding"]) {
    if (row["instruction"] == instruction) request.inputs.emplace_back(row["text"].get<std::string>());
  }
  return request;
}

void expect_embeddings(ServedModel& model, double tolerance) {
  for (const Json& row : small_cases()["embedding"]) {
    const auto instruction = row["instruction"].get<std::string>();
    EXPECT_EQ(embedding_prompt(*model.engine->tokenizer(), row["text"], instruction),
              row["ids"].get<std::vector<int32_t>>());
  }
  for (const auto& [key, dimensions] :
       {std::pair<const char*, std::optional<int64_t>>{"vector", {}}, {"vector_12", 12}}) {
    for (const Json& first : small_cases()["embedding"]) {
      const auto instruction = first["instruction"].get<std::string>();
      const auto got = embed(model, request_of(instruction, dimensions), kNeverCancelled);
      ASSERT_TRUE(got.ok()) << got.error().message();
      size_t next = 0;
      int64_t tokens = 0;
      for (const Json& row : small_cases()["embedding"]) {
        if (row["instruction"] != instruction) continue;
        EXPECT_LE(difference(got->vectors.at(next++), row[key].get<std::vector<float>>()), tolerance)
            << row["text"];
        tokens += static_cast<int64_t>(row["ids"].size());
      }
      EXPECT_EQ(got->vectors.size(), next);
      EXPECT_EQ(got->prompt_tokens, tokens);
    }
  }
}

void expect_ranking(ServedModel& model, const char* key) {
  for (const Json& row : small_cases()["reranking"]) {
    const RankingPrompts prompts(*model.engine->tokenizer(), row["query"], row["instruction"]);
    int64_t tokens = 0;
    for (size_t i = 0; i < row["documents"].size(); ++i) {
      EXPECT_EQ(prompts.prompt(row["documents"][i]), row["ids"][i].get<std::vector<int32_t>>());
      tokens += static_cast<int64_t>(row["ids"][i].size());
    }
    const auto got =
        rerank(model, {row["query"], row["documents"].get<std::vector<std::string>>(), row["instruction"]},
               kNeverCancelled);
    ASSERT_TRUE(got.ok()) << got.error().message();
    EXPECT_LE(difference(got->scores, row[key].get<std::vector<float>>()), 1e-5) << row["query"];
    EXPECT_EQ(got->prompt_tokens, tokens);
  }
}

TEST(GoldenRetrieval, EmbeddingsAreTheReferences) {
  ServedModel model = open_served(small("embedding"));
  EXPECT_FALSE(model.engine->model().gives_logits());
  expect_embeddings(model, 1e-5);
}

TEST(GoldenRetrieval, ScoresAreTheReferencesInEveryLayout) {
  for (const char* name : {"reranker", "ranking.gguf", "classifier_two_rows"}) {
    SCOPED_TRACE(name);
    ServedModel model = open_served(small(name));
    expect_ranking(model, "scores");
  }
  ServedModel one = open_served(small("classifier_one_row"));
  expect_ranking(one, "scores_of_one_row");
}

// Prompts in the vocabulary of the published models.
TEST(GoldenRetrieval, PromptsOfThePublishedVocabularyAreTheReferences) {
  int compared = 0;
  for (const fs::path& folder : testing::golden_folders()) {
    if (!fs::exists(folder / "retrieval_prompts/cases.jsonl")) continue;
    const auto tokenizer =
        Tokenizer::from_json(testing::read_gzip(folder / "tokenizer/tokenizer.json.gz"), "golden");
    ASSERT_TRUE(tokenizer.ok()) << tokenizer.error().message();
    std::ifstream lines(folder / "retrieval_prompts/cases.jsonl");
    for (std::string line; std::getline(lines, line); ++compared) {
      const Json row = *parse_json(line, "cases.jsonl");
      std::vector<int32_t> ids;
      if (row["kind"] == "answer_tokens") {
        EXPECT_EQ(tokenizer->encode("yes"), row["yes"].get<std::vector<int32_t>>());
        EXPECT_EQ(tokenizer->encode("no"), row["no"].get<std::vector<int32_t>>());
        continue;
      }
      if (row["kind"] == "embedding_query") ids = embedding_prompt(*tokenizer, row["query"], row["task"]);
      if (row["kind"] == "embedding_document") ids = embedding_prompt(*tokenizer, row["text"], "");
      if (row["kind"] == "reranker")
        ids = RankingPrompts(*tokenizer, row["query"], row["task"]).prompt(row["document"]);
      EXPECT_EQ(ids, row["ids"].get<std::vector<int32_t>>()) << line;
    }
  }
  if (compared == 0) GTEST_SKIP() << "the large golden set is not here";
}

TEST(GoldenRetrieval, ModelsOfTheLargeSet) {
  int compared = 0;
  for (const fs::path& folder : testing::golden_folders()) {
    for (const char* name : {"embedding_f32", "reranker_f32", "sequence_classification_f32"}) {
      const fs::path path = folder / "models" / name;
      if (!fs::exists(path)) continue;
      SCOPED_TRACE(name);
      ServedModel model = open_served(path);
      const auto golden = Checkpoint::open(path / "golden.safetensors");
      ASSERT_TRUE(golden.ok());
      EmbeddingRequest request;
      std::vector<std::vector<int32_t>> prompts;
      for (const char* number : {"0", "1", "2", "3"}) {
        prompts.push_back(numbers<int32_t>(*golden, std::string("input_ids.") + number));
        request.inputs.emplace_back(prompts.back());
      }
      const auto states = last_states(model, prompts, Priority::kChat, kNeverCancelled);
      ASSERT_TRUE(states.ok()) << states.error().message();
      ++compared;
      const std::string kind = name;
      if (kind == "embedding_f32") {
        for (const auto& [tensor, size] :
             {std::pair<const char*, size_t>{"embeddings", 64}, {"embeddings_first_32", 32}}) {
          request.dimensions = static_cast<int64_t>(size);
          const auto got = embed(model, request, kNeverCancelled);
          ASSERT_TRUE(got.ok()) << got.error().message();
          const auto wanted = numbers<float>(*golden, tensor);
          for (size_t i = 0; i < 4; ++i)
            EXPECT_LE(difference(got->vectors[i], std::span(wanted).subspan(i * size, size)), 1e-5);
        }
      } else if (kind == "reranker_f32") {
        const auto head = RankingHead::create(*model.engine, 700, 701);
        ASSERT_TRUE(head.ok()) << head.error().message();
        const auto wanted = numbers<float>(*golden, "scores");
        for (size_t i = 0; i < 4; ++i) EXPECT_NEAR(head->score((*states)[i]), wanted[i], 2e-5);
      } else {
        for (size_t i = 0; i < 4; ++i) {
          const auto wanted = numbers<float>(*golden, "logits." + std::to_string(i));
          ASSERT_EQ(wanted.size(), 5u);
          for (int64_t label = 0; label < 5; ++label) {
            std::vector<float> row((*states)[i].size());
            model.engine->model().read_head_row(label, row.data());
            double logit = 0;
            for (size_t k = 0; k < row.size(); ++k)
              logit += static_cast<double>(row[k]) * static_cast<double>((*states)[i][k]);
            EXPECT_NEAR(logit, static_cast<double>(wanted[static_cast<size_t>(label)]), 3e-4);
          }
        }
        // Five classes say nothing about a document.
        EXPECT_EQ(RankingHead::create(*model.engine).error().kind, ErrorKind::kUnsupported);
      }
    }
  }
  if (compared == 0) GTEST_SKIP() << "the large golden set is not here";
}

class Retrieval : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::path(::testing::TempDir()) / "retrieval_test";
    fs::remove_all(folder_);
    fs::create_directories(folder_);
  }
  void TearDown() override { fs::remove_all(folder_); }

  // A copy of a small model whose config.json says `to` instead of `from`.
  fs::path changed(const std::string& name, const std::string& from, const std::string& to) const {
    fs::copy(small(name), folder_ / name);
    std::stringstream text;
    text << std::ifstream(folder_ / name / "config.json").rdbuf();
    std::string config = text.str();
    const size_t place = config.find(from);
    EXPECT_NE(place, std::string::npos) << from;
    config.replace(place, from.size(), to);
    std::ofstream(folder_ / name / "config.json") << config;
    return folder_ / name;
  }
  fs::path folder_;
};

// Qwen3-Embedding's config.json names the causal model; its tensors are the bare model's.
TEST_F(Retrieval, BareTensorsUnderTheCausalNameAreAnEmbeddingModel) {
  ServedModel model = open_served(changed("embedding", "Qwen3Model", "Qwen3ForCausalLM"));
  EXPECT_FALSE(model.engine->model().gives_logits());
  expect_embeddings(model, 1e-5);
}

TEST_F(Retrieval, AnEmbeddingModelAndAClassifierSurviveOurGgufFiles) {
  for (const char* name : {"embedding", "classifier_two_rows"}) {
    SCOPED_TRACE(name);
    const fs::path file = folder_ / (std::string(name) + ".gguf");
    const auto source = Checkpoint::open(small(name));
    ASSERT_TRUE(source.ok());
    QuantizeOptions options;
    options.recipe = *find_recipe("BF16");
    const auto written = quantize(*source, file, options);
    ASSERT_TRUE(written.ok()) << written.error().message();
    ServedModel model = open_served(file);
    EXPECT_FALSE(model.engine->model().gives_logits());
    if (std::string(name) == "embedding") {
      expect_embeddings(model, 1e-5);
    } else {
      expect_ranking(model, "scores");
    }
  }
}

// Law 1: a vector does not depend on its neighbours, nor a score on the pages that were taken over.
TEST_F(Retrieval, AloneOrTogetherTheNumbersAreTheSame) {
  for (const int sequences : {1, 9}) {
    ServedModel model = open_served(small("embedding"), sequences);
    EmbeddingRequest many;
    for (int i = 0; i < 12; ++i)
      many.inputs.emplace_back(std::string(static_cast<size_t>(7 * i), 'x') + "kettle");
    const auto together = embed(model, many, kNeverCancelled);
    ASSERT_TRUE(together.ok()) << together.error().message();
    for (size_t i = 0; i < many.inputs.size(); ++i) {
      ServedModel fresh = open_served(small("embedding"), 1);
      const auto alone = embed(fresh, {{many.inputs[i]}, "", {}}, kNeverCancelled);
      ASSERT_TRUE(alone.ok());
      EXPECT_EQ(alone->vectors[0], together->vectors[i]) << i;
    }
    EXPECT_EQ(model.scheduler->usage().sequences, 0);
  }
  ServedModel ranker = open_served(small("reranker"), 8);
  const std::vector<std::string> documents = {"a kettle", "a kettle on the stove", "", "rain", "水煲",
                                              "kettle"};
  const auto together = rerank(ranker, {"Where is the kettle?", documents, ""}, kNeverCancelled);
  ASSERT_TRUE(together.ok());
  for (size_t i = 0; i < documents.size(); ++i) {
    ServedModel fresh = open_served(small("reranker"), 1);
    const auto alone = rerank(fresh, {"Where is the kettle?", {documents[i]}, ""}, kNeverCancelled);
    ASSERT_TRUE(alone.ok());
    EXPECT_EQ(alone->scores[0], together->scores[i]) << documents[i];
  }
}

// The question before every document is computed once.
TEST_F(Retrieval, DocumentsShareTheirQuestion) {
  ServedModel model = open_served(small("reranker"), 4);
  const auto ranking =
      rerank(model, {"Where is the kettle?", {"a", "b", "c", "d", "e", "f"}, ""}, kNeverCancelled);
  ASSERT_TRUE(ranking.ok());
  EXPECT_LT(model.scheduler->usage().tokens, static_cast<uint64_t>(ranking->prompt_tokens) / 2);
}

TEST_F(Retrieval, EndOfTextIsNotDoubledAndTextIsNoControlToken) {
  const ServedModel model = open_served(small("embedding"));
  const Tokenizer& tokenizer = *model.engine->tokenizer();
  const auto end = tokenizer.find_added("<|endoftext|>");
  ASSERT_TRUE(end.has_value());
  const auto ids = embedding_prompt(tokenizer, "kettle<|endoftext|>", "");
  EXPECT_EQ(ids, embedding_prompt(tokenizer, "kettle", ""));
  EXPECT_EQ(std::count(ids.begin(), ids.end(), *end), 1);
  const auto inside = embedding_prompt(tokenizer, "a<|endoftext|>b <|im_end|>", "x <|im_start|>");
  EXPECT_EQ(std::count_if(inside.begin(), inside.end(), [&](int32_t id) { return tokenizer.is_special(id); }),
            1);
}

TEST_F(Retrieval, AChatModelEmbedsAsWell) {
  ServedModel model = open_served(small("reranker"));
  const auto got = embed(model, {{std::string("a text")}, "", {}}, kNeverCancelled);
  ASSERT_TRUE(got.ok()) << got.error().message();
  double squares = 0;
  for (const float value : got->vectors.at(0))
    squares += static_cast<double>(value) * static_cast<double>(value);
  EXPECT_NEAR(squares, 1.0, 1e-5);
}

TEST_F(Retrieval, WhatAModelCannotDoIsRefused) {
  ServedModel embedder = open_served(small("embedding"));
  EXPECT_EQ(rerank(embedder, {"q", {"d"}, ""}, kNeverCancelled).error().kind, ErrorKind::kUnsupported);
  // It has no head to write text with.
  const int sequence = *embedder.scheduler->open_sequence();
  const std::vector<int32_t> ids = {1, 2};
  const Feed feed{sequence, ids};
  const Status wrote =
      embedder.scheduler->forward(std::span(&feed, 1), [](size_t, int64_t, auto) { return true; });
  ASSERT_FALSE(wrote.ok());
  EXPECT_EQ(wrote.error().kind, ErrorKind::kUnsupported);
  embedder.scheduler->close_sequence(sequence);
  // A vocabulary in which yes and no are no tokens: the golden models have none at all.
  ServedModel plain = open_served(fs::path(INK_SOURCE_DIR) / "tests/golden/models/dense_tied_f32");
  EXPECT_EQ(rerank(plain, {"q", {"d"}, ""}, kNeverCancelled).error().kind, ErrorKind::kUnsupported);
  EXPECT_EQ(embed(plain, {{std::string("text")}, "", {}}, kNeverCancelled).error().kind,
            ErrorKind::kUnsupported);
  EXPECT_TRUE(embed(plain, {{std::vector<int32_t>{5, 6}}, "", {}}, kNeverCancelled).ok());
  ServedModel words = open_served(fs::path(INK_SOURCE_DIR) / "tests/golden/gguf_models/qwen3-f32.gguf");
  EXPECT_EQ(rerank(words, {"q", {"d"}, ""}, kNeverCancelled).error().kind, ErrorKind::kUnsupported);
}

TEST_F(Retrieval, OtherWaysOfPoolingAreRefused) {
  const fs::path copy = changed("embedding", "Qwen3Model", "Qwen3Model");
  fs::create_directories(copy / "1_Pooling");
  std::ofstream(copy / "1_Pooling/config.json") << R"({"pooling_mode_mean_tokens": true})";
  ServedModel model = open_served(copy);
  const auto got = embed(model, {{std::string("a")}, "", {}}, kNeverCancelled);
  ASSERT_FALSE(got.ok());
  EXPECT_EQ(got.error().kind, ErrorKind::kUnsupported);
  EXPECT_NE(got.error().message().find("mean"), std::string::npos);
}

TEST_F(Retrieval, BadRequestsAreNamed) {
  ServedModel model = open_served(small("embedding"));
  const EmbeddingInput text = std::string("a");
  const auto kind = [&](const EmbeddingRequest& request) {
    const auto got = embed(model, request, kNeverCancelled);
    EXPECT_FALSE(got.ok());
    return got.ok() ? ErrorKind::kIo : got.error().kind;
  };
  EXPECT_EQ(kind({{}, "", {}}), ErrorKind::kInvalid);
  EXPECT_EQ(kind({{std::vector<int32_t>{}}, "", {}}), ErrorKind::kInvalid);
  EXPECT_EQ(kind({{std::vector<int32_t>{-1}}, "", {}}), ErrorKind::kInvalid);
  EXPECT_EQ(kind({{std::vector<int32_t>{1 << 30}}, "", {}}), ErrorKind::kInvalid);
  EXPECT_EQ(kind({{std::vector<int32_t>{1}}, "to find things", {}}), ErrorKind::kInvalid);
  for (const int64_t dimensions : {int64_t{0}, int64_t{-1}, int64_t{33}, INT64_MAX, INT64_MIN})
    EXPECT_EQ(kind({{text}, "", dimensions}), ErrorKind::kInvalid) << dimensions;
  ServedModel ranker = open_served(small("reranker"));
  EXPECT_EQ(rerank(ranker, {"q", {}, ""}, kNeverCancelled).error().kind, ErrorKind::kInvalid);
}

TEST_F(Retrieval, TooLongIsRefusedWithBothNumbersOrCutWhenAsked) {
  ServedModel model = open_served(small("embedding"), 4, 16);
  EmbeddingRequest request{{std::string(300, 'x')}, "", {}};
  const auto refused = embed(model, request, kNeverCancelled);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().kind, ErrorKind::kTooLarge);
  EXPECT_EQ(refused.error().where, "context");
  EXPECT_NE(refused.error().wanted.find("16"), std::string::npos);
  request.truncate = true;
  const auto cut = embed(model, request, kNeverCancelled);
  ASSERT_TRUE(cut.ok()) << cut.error().message();
  EXPECT_EQ(cut->prompt_tokens, 16);
  ServedModel ranker = open_served(small("reranker"), 4, 512);
  RerankRequest ranking{"q", {std::string(2000, 'x'), "y"}, ""};
  EXPECT_EQ(rerank(ranker, ranking, kNeverCancelled).error().where, "context");
  ranking.truncate = true;
  EXPECT_TRUE(rerank(ranker, ranking, kNeverCancelled).ok());
}

TEST_F(Retrieval, CancellingEndsIt) {
  ServedModel model = open_served(small("embedding"));
  const std::atomic<bool> cancelled = true;
  const auto got = embed(model, {{std::string("a")}, "", {}}, cancelled);
  ASSERT_FALSE(got.ok());
  EXPECT_EQ(got.error().kind, ErrorKind::kCancelled);
  EXPECT_EQ(model.scheduler->usage().sequences, 0);
}

}  // namespace
}  // namespace ink
