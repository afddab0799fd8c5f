// Models on demand (services/library), on small models of the golden set: what is loaded when, what goes when
// another needs the room, and that a name can never become a path.
#include "services/library/library.h"

#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <future>
#include <thread>

#include "pocket/embedded.h"
#include "services/library/model_names.h"
#include "tests/golden_folder.h"

namespace ink {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

// A folder of models A, B and C, which is all that find_models() finds beside the embedded one, and a model
// outside of it.
class Library : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::path(::testing::TempDir()) / ("library_" + std::string(test_name()));
    fs::remove_all(folder_);
    fs::create_directories(folder_ / "models");
    fs::create_directories(folder_ / "elsewhere");
    const fs::path golden = fs::path(INK_SOURCE_DIR) / "tests/golden/models";
    fs::create_directory_symlink(golden / "dense_tied_f32", folder_ / "models/A");
    fs::create_directory_symlink(golden / "dense_untied_bf16", folder_ / "models/B");
    fs::create_directory_symlink(golden / "moe_f32", folder_ / "models/C");
    fs::create_directory_symlink(golden / "dense_yarn_f32", folder_ / "elsewhere/Outside");
    previous_ = fs::current_path();
    fs::current_path(folder_ / "elsewhere");  // finds Outside as well, under its name
    fs::create_directories(folder_ / "empty");
    fs::current_path(folder_ / "empty");
    ::setenv("INKSTONE_MODELS", (folder_ / "models").c_str(), 1);
    ::setenv("HF_HUB_CACHE", (folder_ / "empty").c_str(), 1);
    ::setenv("XDG_DATA_HOME", (folder_ / "empty").c_str(), 1);
    options_.engine.threads = 1;
    options_.engine.context_tokens = 64;
    options_.default_model = (folder_ / "models/A").string();
    options_.keep_alive = -1ms;
  }
  void TearDown() override {
    for (const char* name : {"INKSTONE_MODELS", "HF_HUB_CACHE", "XDG_DATA_HOME"}) ::unsetenv(name);
    fs::current_path(previous_);
    fs::remove_all(folder_);
  }
  static const char* test_name() { return ::testing::UnitTest::GetInstance()->current_test_info()->name(); }

  static std::vector<std::string> loaded_names(const ModelLibrary& library) {
    std::vector<std::string> names;
    for (const LoadedModelInfo& info : library.loaded()) names.push_back(info.name);
    std::sort(names.begin(), names.end());
    return names;
  }
  uint64_t bytes_of(const std::string& name) const {
    ModelLibrary library(options_);
    const auto model = library.acquire(name);
    EXPECT_TRUE(model.ok()) << model.error().message();
    return library.loaded().at(0).bytes;
  }
  // A change that another thread makes soon.
  template <typename Condition>
  static bool comes_true(const Condition& condition) {
    for (int i = 0; i < 2000; ++i) {
      if (condition()) return true;
      std::this_thread::sleep_for(5ms);
    }
    return false;
  }
  using Names = std::vector<std::string>;

  fs::path folder_;
  fs::path previous_;
  LibraryOptions options_;
};

TEST_F(Library, LoadsOnDemandAndKeepsWhatIsLoaded) {
  ModelLibrary library(options_);
  EXPECT_EQ(library.default_name(), "A");
  EXPECT_TRUE(library.loaded().empty());
  const auto by_default = library.acquire("");
  ASSERT_TRUE(by_default.ok()) << by_default.error().message();
  EXPECT_EQ((*by_default)->name, "A");
  EXPECT_GT((*by_default)->load_seconds, 0);
  EXPECT_EQ((*by_default)->engine->options().context_tokens, 64);
  const auto by_name = library.acquire("a");  // upper and lower case are one
  ASSERT_TRUE(by_name.ok());
  EXPECT_EQ(by_name->get(), by_default->get());
  ASSERT_EQ(library.loaded().size(), 1u);
  EXPECT_EQ(library.loaded()[0].in_use, 2);
  EXPECT_EQ(library.loaded()[0].bytes, (*by_default)->engine->memory().total());
  const auto other = library.acquire("B");
  ASSERT_TRUE(other.ok());
  EXPECT_NE((*other)->engine, (*by_default)->engine);
  EXPECT_EQ(loaded_names(library), (Names{"A", "B"}));
}

TEST_F(Library, TheEmbeddedModelIsOneLikeOthers) {
  ModelLibrary library(options_);
  const auto pocket = library.acquire(pocket::kAssistantName);
  ASSERT_TRUE(pocket.ok()) << pocket.error().message();
  EXPECT_NE((*pocket)->tree, nullptr);
  options_.default_model.clear();
  ModelLibrary plain(options_);
  EXPECT_EQ(plain.default_name(), pocket::kAssistantName);
}

TEST_F(Library, AnAliasStandsForTheDefaultModel) {
  options_.alias = "gpt-4o-mini";
  ModelLibrary library(options_);
  EXPECT_EQ(library.default_name(), "gpt-4o-mini");
  const auto available = library.available();
  EXPECT_EQ(available.front().name, "gpt-4o-mini");
  EXPECT_EQ(std::count_if(available.begin(), available.end(), [](const auto& m) { return m.name == "A"; }),
            0);
  // By its alias, its own name, and the words of the command line.
  const auto first = library.acquire("GPT-4o-mini");
  ASSERT_TRUE(first.ok());
  EXPECT_EQ((*first)->name, "gpt-4o-mini");
  for (const std::string& name : {std::string("A"), options_.default_model}) {
    const auto model = library.acquire(name);
    ASSERT_TRUE(model.ok()) << name;
    EXPECT_EQ(model->get(), first->get());
  }
}

TEST_F(Library, AnUnknownNameIsAnsweredWithTheNamesThereAre) {
  ModelLibrary library(options_);
  const auto model = library.acquire("qwen9");
  ASSERT_FALSE(model.ok());
  EXPECT_EQ(model.error().kind, ErrorKind::kNotFound);
  for (const char* name : {"A", "B", "C", pocket::kAssistantName, "qwen9"})
    EXPECT_NE(model.error().message().find(name), std::string::npos) << model.error().message();
}

// What the server's own user may name by a path, a request may not.
TEST_F(Library, ANameFromOutsideIsNeverAPath) {
  ModelLibrary library(options_);
  const fs::path outside = folder_ / "elsewhere/Outside";
  ASSERT_TRUE(open_model(outside.string()).ok());
  ASSERT_TRUE(fs::exists("../elsewhere/Outside/config.json"));
  const std::string absolute = outside.string();
  for (const std::string& name :
       {absolute, absolute + "/model.safetensors", std::string("../elsewhere/Outside"),
        std::string("./../elsewhere/Outside"), std::string("elsewhere/Outside"), std::string("Outside"),
        std::string("A/../../elsewhere/Outside"), std::string("../models/B"), (folder_ / "models/B").string(),
        std::string("~/B"), std::string("B\0", 2), std::string("."), std::string("/")}) {
    const auto model = library.acquire(name);
    ASSERT_FALSE(model.ok()) << name;
    EXPECT_EQ(model.error().kind, ErrorKind::kNotFound) << name;
  }
  EXPECT_TRUE(library.loaded().empty());
}

TEST_F(Library, TheLongestIdleModelMakesRoom) {
  const uint64_t a = bytes_of("A");
  const uint64_t b = bytes_of("B");
  const uint64_t c = bytes_of("C");
  options_.budget_bytes = std::max({a + b, b + c, a + c});
  ASSERT_LT(options_.budget_bytes, a + b + c);
  ModelLibrary library(options_);
  ASSERT_TRUE(library.acquire("A").ok());
  ASSERT_TRUE(library.acquire("B").ok());
  ASSERT_TRUE(library.acquire("A").ok());  // now B is the longest idle
  ASSERT_TRUE(library.acquire("C").ok());
  EXPECT_EQ(loaded_names(library), (Names{"A", "C"}));
}

TEST_F(Library, WhatIsInUseStaysAndAnotherIsRefusedWithTheNumbers) {
  const uint64_t a = bytes_of("A");
  const uint64_t b = bytes_of("B");
  options_.budget_bytes = a + b - 1;
  ModelLibrary library(options_);
  {
    const auto held = library.acquire("A");
    ASSERT_TRUE(held.ok());
    const auto refused = library.acquire("B");
    ASSERT_FALSE(refused.ok());
    EXPECT_EQ(refused.error().kind, ErrorKind::kTooLarge);
    EXPECT_NE(refused.error().message().find("in use: A"), std::string::npos) << refused.error().message();
    EXPECT_NE(refused.error().message().find(" MB for B"), std::string::npos) << refused.error().message();
    EXPECT_EQ(loaded_names(library), (Names{"A"}));
  }
  ASSERT_TRUE(library.acquire("B").ok());
  EXPECT_EQ(loaded_names(library), (Names{"B"}));
}

TEST_F(Library, WhatCannotFitAloneUnloadsNothing) {
  const uint64_t a = bytes_of("A");
  options_.budget_bytes = a;
  ModelLibrary library(options_);
  ASSERT_TRUE(library.acquire("A").ok());
  const auto refused = library.acquire(pocket::kAssistantName);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().kind, ErrorKind::kTooLarge);
  EXPECT_EQ(loaded_names(library), (Names{"A"}));
}

TEST_F(Library, AModelThatFailsToLoadFailsEveryTimeAndHarmsNoOther) {
  fs::create_directories(folder_ / "models/Broken");
  std::ofstream(folder_ / "models/Broken/config.json") << "{}";
  std::ofstream(folder_ / "models/Broken/model.safetensors") << "not tensors";
  ModelLibrary library(options_);
  const auto held = library.acquire("A");
  ASSERT_TRUE(held.ok());
  for (int i = 0; i < 2; ++i) EXPECT_EQ(library.acquire("Broken").error().kind, ErrorKind::kInvalid);
  EXPECT_EQ(loaded_names(library), (Names{"A"}));
}

TEST_F(Library, KeepAliveZeroUnloadsAtTheEndOfTheLastUse) {
  ModelLibrary library(options_);
  {
    const auto one = library.acquire("A", 0ms);
    const auto two = library.acquire("A");  // says nothing: it stays at 0
    ASSERT_TRUE(one.ok() && two.ok());
    EXPECT_EQ(library.loaded().size(), 1u);
  }
  EXPECT_TRUE(library.loaded().empty());
  ASSERT_TRUE(library.acquire("A").ok());  // loaded anew, under the library's own time
  EXPECT_EQ(library.loaded().size(), 1u);
}

TEST_F(Library, AShortKeepAliveEndsByItself) {
  ModelLibrary library(options_);
  {
    const auto held = library.acquire("A", 30ms);
    ASSERT_TRUE(held.ok());
    std::this_thread::sleep_for(60ms);
    EXPECT_EQ(library.loaded().size(), 1u);  // time begins with the end of the use
    EXPECT_TRUE(library.loaded()[0].expires.has_value());
  }
  ASSERT_TRUE(library.acquire("B").ok());
  EXPECT_TRUE(comes_true([&] { return loaded_names(library) == Names{"B"}; }));
}

TEST_F(Library, ANegativeKeepAliveIsForGood) {
  options_.keep_alive = 20ms;
  ModelLibrary library(options_);
  ASSERT_TRUE(library.acquire("A", -1s).ok());
  ASSERT_TRUE(library.acquire("A").ok());  // a request that says nothing does not end it
  ASSERT_TRUE(library.acquire("B").ok());
  ASSERT_TRUE(comes_true([&] { return loaded_names(library) == Names{"A"}; }));
  EXPECT_FALSE(library.loaded()[0].expires.has_value());
}

TEST_F(Library, UnloadWaitsForTheLastUse) {
  ModelLibrary library(options_);
  EXPECT_FALSE(library.unload("A"));
  EXPECT_FALSE(library.unload("no such model"));
  {
    const auto held = library.acquire("A");
    ASSERT_TRUE(held.ok());
    EXPECT_TRUE(library.unload("A"));
    EXPECT_EQ(library.loaded().size(), 1u);
    EXPECT_EQ((*held)->name, "A");
  }
  EXPECT_TRUE(library.loaded().empty());
  ASSERT_TRUE(library.acquire("A").ok());
  EXPECT_EQ(library.loaded().size(), 1u);
  EXPECT_TRUE(library.unload("A"));
  EXPECT_TRUE(library.loaded().empty());
}

TEST_F(Library, RequestsAtTheSameTimeLoadOnce) {
  std::atomic<int> loads = 0;
  options_.progress = [&](const std::string& name, double fraction) {
    EXPECT_EQ(name, "C");
    if (fraction >= 1) ++loads;
  };
  ModelLibrary library(options_);
  std::vector<std::shared_ptr<ServedModel>> models(4);
  std::vector<std::thread> threads;
  for (auto& model : models) {
    threads.emplace_back([&] {
      if (auto acquired = library.acquire("C"); acquired.ok()) model = *acquired;
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(loads, 1);
  for (const auto& model : models) {
    ASSERT_NE(model, nullptr);
    EXPECT_EQ(model, models.front());
  }
  EXPECT_EQ(library.loaded().at(0).in_use, 4);
}

// A client that leaves while its model is loaded waits no longer; the loading goes on, and a model that all
// have left before its turn is not loaded at all.
TEST_F(Library, WhoLeavesWaitsNoLongerAndTheLoadingGoesOn) {
  std::promise<void> begun, go_on;
  const auto may_go_on = go_on.get_future().share();
  std::atomic<bool> first = true;
  options_.progress = [&](const std::string&, double) {
    if (first.exchange(false)) begun.set_value();
    may_go_on.wait();
  };
  ModelLibrary library(options_);
  std::atomic<bool> left = false;
  const auto acquire = [&](const char* name) {
    return std::async(std::launch::async,
                      [&library, &left, name] { return library.acquire(name, 1s, &left); });
  };
  auto loading = acquire("B");
  begun.get_future().wait();
  auto beside = acquire("B"), behind = acquire("C");
  auto staying = std::async(std::launch::async, [&] { return library.acquire("A"); });
  std::this_thread::sleep_for(30ms);
  left = true;
  for (auto* waiting : {&loading, &beside, &behind}) {
    ASSERT_EQ(waiting->wait_for(10s), std::future_status::ready);
    EXPECT_EQ(waiting->get().error().kind, ErrorKind::kCancelled);
  }
  EXPECT_TRUE(library.loaded().empty());
  EXPECT_EQ(staying.wait_for(30ms), std::future_status::timeout);
  go_on.set_value();
  EXPECT_TRUE(staying.get().ok());
  EXPECT_EQ(loaded_names(library), (Names{"A", "B"}));
  EXPECT_TRUE(library.acquire("C").ok());
}

// More models than there is room for, from several threads: everybody is answered or refused for want of
// room, and never is more held than allowed.
TEST_F(Library, ThreadsThatWantDifferentModelsTakeTurns) {
  options_.budget_bytes =
      std::max({bytes_of("A") + bytes_of("B"), bytes_of("C") + bytes_of("B"), bytes_of("A") + bytes_of("C")});
  options_.keep_alive = 1ms;
  ModelLibrary library(options_);
  std::atomic<int> answered = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < 3; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 12; ++i) {
        const std::string name(1, static_cast<char>('A' + (t + i) % 3));
        const auto model = library.acquire(name);
        uint64_t held = 0;
        for (const LoadedModelInfo& info : library.loaded()) held += info.bytes;
        EXPECT_LE(held, options_.budget_bytes);
        if (model.ok()) {
          EXPECT_EQ((*model)->name, name);
          ++answered;
        } else {
          EXPECT_EQ(model.error().kind, ErrorKind::kTooLarge) << model.error().message();
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_GT(answered, 0);
  EXPECT_TRUE(comes_true([&] { return library.loaded().empty(); }));
}

// Names as other programs write them.
TEST(ModelNames, MeanTheOneModelTheyCanMean) {
  const auto named = [](std::vector<std::string> names) {
    std::vector<FoundModel> models;
    for (auto& name : names) models.push_back({std::move(name), "x", "", "gguf", 0});
    return models;
  };
  const auto models =
      named({"pocket-assistant", "Qwen3-0.6B-Q8_0", "Qwen3-4B-Q4_K_M", "Qwen3-4B-Q8_0", "Qwen/Qwen3-1.7B",
             "Qwen/Qwen3-8B-GGUF/Qwen3-8B-Q4_K_M", "Qwen3-30B-A3B-UD-Q4_K_XL-00001-of-00002",
             "Other/Qwen3-14B", "Qwen3-14B-Q6_K", "Qwen3-Embedding-0.6B"});
  const std::pair<const char*, const char*> kMeant[] = {
      {"qwen3-0.6b-q8_0", "Qwen3-0.6B-Q8_0"},
      {"Qwen3-0.6B-Q8_0.gguf", "Qwen3-0.6B-Q8_0"},
      {"qwen3:0.6b", "Qwen3-0.6B-Q8_0"},
      {"qwen3:0.6b-q8_0", "Qwen3-0.6B-Q8_0"},
      {"Qwen3-0.6B", "Qwen3-0.6B-Q8_0"},
      {"Qwen/Qwen3-0.6B", "Qwen3-0.6B-Q8_0"},
      {"Qwen/Qwen3-0.6B-GGUF:Q8_0", "Qwen3-0.6B-Q8_0"},
      {"pocket-assistant:latest", "pocket-assistant"},
      {"qwen3-1.7b", "Qwen/Qwen3-1.7B"},
      {"qwen3:8b", "Qwen/Qwen3-8B-GGUF/Qwen3-8B-Q4_K_M"},
      {"Qwen/Qwen3-8B-GGUF", "Qwen/Qwen3-8B-GGUF/Qwen3-8B-Q4_K_M"},
      {"qwen3:4b-q8_0", "Qwen3-4B-Q8_0"},
      {"qwen3:30b-a3b", "Qwen3-30B-A3B-UD-Q4_K_XL-00001-of-00002"},
      {"qwen3-embedding:0.6b", "Qwen3-Embedding-0.6B"},
      {"Other/Qwen3-14B", "Other/Qwen3-14B"},
      {"qwen3:14b", "Other/Qwen3-14B"},  // whole, before one that leaves the quantization out
  };
  for (const auto& [asked, meant] : kMeant) {
    const auto model = match_model(models, asked);
    ASSERT_TRUE(model.ok()) << asked << ": " << model.error().message();
    EXPECT_EQ(model->name, meant) << asked;
  }
  for (const char* unknown :
       {"qwen3", "qwen3:32b", "Qwen3-0.6", "qwen3:4b", "Elsewhere/Qwen3-1.7B", "gpt-4o", "-", ":latest", "",
        "../Qwen3-0.6B-Q8_0", "/Qwen3-0.6B-Q8_0", "Qwen3-0.6B-Q8_0/.."}) {
    const auto model = match_model(models, unknown);
    ASSERT_FALSE(model.ok()) << unknown << " means " << model->name;
    EXPECT_EQ(model.error().kind, ErrorKind::kNotFound);
  }
  // Which of two is meant is for the asker to say; both are named.
  const std::string message = match_model(models, "qwen3:4b").error().message();
  EXPECT_NE(message.find("Qwen3-4B-Q4_K_M, Qwen3-4B-Q8_0"), std::string::npos) << message;
}

}  // namespace
}  // namespace ink
