// The parts of the program that need no model: what is shown, what is read, what is found.
#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "cli/chat.h"
#include "cli/conversation.h"
#include "cli/output.h"
#include "cli/perplexity.h"
#include "cli/progress.h"
#include "cli/prompt_text.h"
#include "cli/units.h"
#include "pocket/embedded.h"
#include "services/library/model_finder.h"

namespace ink::cli {
namespace {

namespace fs = std::filesystem;

class Pieces : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::path(::testing::TempDir()) /
              ("pieces_" + std::string(::testing::UnitTest::GetInstance()->current_test_info()->name()));
    fs::remove_all(folder_);
    fs::create_directories(folder_);
  }
  void TearDown() override { fs::remove_all(folder_); }
  std::string write(const std::string& name, const std::string& text) {
    fs::create_directories((folder_ / name).parent_path());
    std::ofstream(folder_ / name, std::ios::binary) << text;
    return (folder_ / name).string();
  }
  fs::path folder_;
};

TEST_F(Pieces, PrintableTextCannotSteerATerminal) {
  EXPECT_EQ(printable("a\tb\nc 灯"), "a\tb\nc 灯");
  EXPECT_EQ(printable("\x1b[2J"), "\uFFFD[2J");
  EXPECT_EQ(printable("\xc2\x9b"), "\uFFFD");  // CSI as one character
  EXPECT_EQ(printable("\x7f\r"), "\uFFFD\uFFFD");
  EXPECT_EQ(printable("a\xff"), "a\uFFFD");
}

TEST_F(Pieces, ErrorsAreOneLineWithACodeForEachKind) {
  ::testing::internal::CaptureStderr();
  EXPECT_EQ(report({ErrorKind::kInvalid, "a\nb", "x", "y", ""}), 4);
  EXPECT_EQ(::testing::internal::GetCapturedStderr(), "inkstone: error: a; b: expected x, got y\n");
  ::testing::internal::CaptureStderr();
  EXPECT_EQ(report({ErrorKind::kInvalid, "--flag", "x", "y", ""}), 2);
  EXPECT_EQ(report({ErrorKind::kNotFound, "", "", "", ""}), 3);
  EXPECT_EQ(report({ErrorKind::kUnsupported, "", "", "", ""}), 5);
  EXPECT_EQ(report({ErrorKind::kTooLarge, "", "", "", ""}), 6);
  EXPECT_EQ(report({ErrorKind::kIo, "", "", "", ""}), 7);
  EXPECT_EQ(report({ErrorKind::kCancelled, "", "", "", ""}), 130);
  ::testing::internal::GetCapturedStderr();
}

TEST_F(Pieces, CallsAreReadable) {
  ToolCall call;
  call.name = "set_light";
  call.arguments = Json::parse(R"({"room": "客厅", "percent": 40, "on": true, "list": [1, 2]})");
  EXPECT_EQ(call_text(call), "set_light(room=\"客厅\", percent=40, on=true, list=[1, 2])");
  call.arguments = Json::object();
  EXPECT_EQ(call_text(call), "set_light()");
}

std::string printed(bool show_thinking, const std::vector<TurnEvent>& events) {
  ::testing::internal::CaptureStdout();
  AnswerPrinter printer(show_thinking);
  for (const auto& event : events) printer.print(event);
  printer.finish();
  return ::testing::internal::GetCapturedStdout();
}

TEST_F(Pieces, ThinkingStandsApartFromTheAnswerOrIsLeftOut) {
  using Kind = TurnEvent::Kind;
  const std::vector<TurnEvent> events = {{Kind::kReasoning, "so", {}},
                                         {Kind::kReasoning, " then", {}},
                                         {Kind::kContent, "\n\n", {}},
                                         {Kind::kContent, "\nyes", {}}};
  EXPECT_EQ(printed(true, events), "so then\n\nyes\n");
  EXPECT_EQ(printed(false, events), "yes\n");
}

TEST_F(Pieces, CallsStandOnLinesOfTheirOwn) {
  ToolCall call;
  call.name = "stop";
  call.arguments = Json::object();
  const std::vector<TurnEvent> events = {{TurnEvent::Kind::kContent, "Well:", {}},
                                         {TurnEvent::Kind::kToolCall, "", call},
                                         {TurnEvent::Kind::kToolCall, "", call}};
  EXPECT_EQ(printed(true, events), "Well:\nstop()\nstop()\n");
}

TEST_F(Pieces, ProgressLines) {
  EXPECT_EQ(progress_line("loading", 0.5, 3), "loading [############------------]  50 %  3 s left");
  EXPECT_EQ(progress_line("x", 1.5, -1), "x [########################] 100 %");
  EXPECT_EQ(progress_line("x", 0, 600), "x [------------------------]   0 %  10 min left");
}

TEST_F(Pieces, SizesAndCounts) {
  EXPECT_EQ(size_text(512), "512 B");
  EXPECT_EQ(size_text(1536), "1.5 KiB");
  EXPECT_EQ(size_text(uint64_t{3} << 30), "3.0 GiB");
  EXPECT_EQ(count_text(596'000'000), "596.0 M");
  EXPECT_EQ(count_text(30'500'000'000), "30.50 B");
}

TEST_F(Pieces, PerplexityIsExpOfTheMeanWithItsError) {
  Perplexity perplexity;
  for (const double loss : {1.0, 2.0, 3.0, 2.0}) perplexity.add(loss);
  EXPECT_DOUBLE_EQ(perplexity.value(), std::exp(2.0));
  EXPECT_DOUBLE_EQ(perplexity.error(), std::sqrt(0.5 / 3) * std::exp(2.0));
  EXPECT_EQ(perplexity.count(), 4);
}

TEST_F(Pieces, FilesStandInFrontOfThePrompt) {
  const std::string file = write("list.txt", "milk");
  EXPECT_EQ(*read_prompt("what is missing?", {file}), "list.txt:\n\nmilk\n\nwhat is missing?");
  EXPECT_EQ(*read_prompt(std::nullopt, {file}), "milk");
  EXPECT_EQ(*read_prompt("hi", {}), "hi");
}

TEST_F(Pieces, PromptsThatAreNoTextAreRefused) {
  EXPECT_EQ(read_prompt("", {}).error().kind, ErrorKind::kInvalid);
  EXPECT_EQ(read_prompt(" \n\t", {}).error().kind, ErrorKind::kInvalid);
  EXPECT_EQ(read_prompt("ab\xff", {}).error().message(), "prompt: expected UTF-8 text, got 0xff at byte 2");
  EXPECT_EQ(read_prompt("x", {(folder_ / "none").string()}).error().kind, ErrorKind::kNotFound);
  EXPECT_EQ(read_prompt("x", {folder_.string()}).error().kind, ErrorKind::kIo);
  EXPECT_EQ(read_prompt("x", {write("bad", "\xc0\x80")}).error().kind, ErrorKind::kInvalid);
}

TEST_F(Pieces, ToolsComeBareOrWrapped) {
  const auto tools =
      read_tools(write("tools.json", R"([{"name": "a"}, {"type": "function", "function": {"name": "b"}}])"));
  ASSERT_TRUE(tools.ok());
  EXPECT_EQ(tools->size(), 2u);
  EXPECT_FALSE(read_tools(write("object.json", R"({"name": "a"})")).ok());
  EXPECT_FALSE(read_tools(write("nameless.json", R"([{"parameters": {}}])")).ok());
  EXPECT_FALSE(read_tools(write("broken.json", "[{")).ok());
}

TEST_F(Pieces, ModelsAreFoundByName) {
  write("Tiny-Q8_0.gguf", "x");
  write("split-00001-of-00002.gguf", "x");
  write("split-00002-of-00002.gguf", "x");
  write("family/Folder-Model/config.json", "{}");
  write("family/Folder-Model/model.safetensors", "12345");
  write("notes/config.json", "{}");  // no weights
  write("hub/models--Org--Net/snapshots/abc/config.json", "{}");
  write("hub/models--Org--Net/snapshots/abc/model.safetensors", "123");
  write("hub/models--Org--Net/refs/main", "abc");
  ::setenv("INKSTONE_MODELS", folder_.c_str(), 1);
  ::setenv("HF_HUB_CACHE", (folder_ / "hub").c_str(), 1);
  const auto found = find_models();
  ::unsetenv("INKSTONE_MODELS");
  ::unsetenv("HF_HUB_CACHE");
  EXPECT_EQ(found.front().name, pocket::kAssistantName);
  EXPECT_EQ(found.front().bytes, pocket::assistant().size());
  std::vector<std::string> here;
  for (const auto& model : found) {
    if (model.place == "INKSTONE_MODELS" || model.place == "huggingface")
      here.push_back(model.place + " " + model.name);
  }
  for (const char* wanted : {"INKSTONE_MODELS Tiny-Q8_0", "INKSTONE_MODELS split-00001-of-00002",
                             "INKSTONE_MODELS Folder-Model", "huggingface Org/Net"})
    EXPECT_EQ(std::count(here.begin(), here.end(), wanted), 1) << wanted;
  EXPECT_EQ(std::count(here.begin(), here.end(), "INKSTONE_MODELS split-00002-of-00002"), 0);
  EXPECT_EQ(std::count(here.begin(), here.end(), "INKSTONE_MODELS notes"), 0);
}

TEST_F(Pieces, TheEmbeddedModelIsTheDefault) {
  for (const std::string& name : {std::string(), std::string(pocket::kAssistantName)}) {
    const auto checkpoint = open_model(name);
    ASSERT_TRUE(checkpoint.ok()) << checkpoint.error().message();
    EXPECT_EQ(checkpoint->size_bytes(), pocket::assistant().size());
  }
  EXPECT_EQ(open_model("no such model").error().kind, ErrorKind::kNotFound);
}

TEST_F(Pieces, SavedConversationsAreTheWiresMessages) {
  std::vector<ChatMessage> messages = {text_message(Role::kUser, "关灯")};
  ChatMessage answer = text_message(Role::kAssistant, "");
  answer.reasoning = "hm";
  ToolCall call;
  call.name = "set_light";
  call.arguments = Json{{"state", "off"}};
  answer.tool_calls.push_back(call);
  messages.push_back(answer);
  const auto back = parse_messages(messages_json(messages), "test");
  ASSERT_TRUE(back.ok()) << back.error().message();
  ASSERT_EQ(back->size(), 2u);
  EXPECT_EQ((*back)[1].reasoning, "hm");
  EXPECT_EQ((*back)[1].tool_calls.at(0).arguments, call.arguments);
}

}  // namespace
}  // namespace ink::cli
