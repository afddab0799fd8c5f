// Flags: what was given, what was not, what is refused, and that the environment only fills gaps.
#include <gtest/gtest.h>

#include <CLI/CLI.hpp>
#include <cmath>
#include <cstdlib>

#include "cli/command.h"
#include "cli/options.h"
#include "cli/program.h"

namespace ink::cli {
namespace {

// One command with the flags of `run`, parsed.
struct Parsed {
  CLI::App program{"test"};
  Action action;
  ModelFlags model;
  SamplingFlags sampling;
  ChatFlags chat;
  std::optional<std::string> prompt;
  std::optional<int> code;

  explicit Parsed(std::vector<std::string> arguments) {
    Command command(program, "run", "test");
    command.text("PROMPT", prompt, "");
    add_engine_flags(command, model);
    add_sampling_flags(command, sampling);
    add_chat_flags(command, chat);
    command.runs(action, [] { return 0; });
    arguments.insert(arguments.begin(), "run");
    code = parse_command_line(program, std::move(arguments));
  }
};

class Variable {
 public:
  Variable(const char* name, const char* value) : name_(name) { ::setenv(name, value, 1); }
  ~Variable() { ::unsetenv(name_); }

 private:
  const char* name_;
};

TEST(Flags, WhatIsNotGivenStaysEmpty) {
  const Parsed parsed({"hello"});
  EXPECT_FALSE(parsed.code);
  EXPECT_EQ(parsed.prompt, "hello");
  EXPECT_FALSE(parsed.sampling.temperature || parsed.sampling.top_k || parsed.sampling.seed ||
               parsed.model.model);
}

TEST(Flags, LlamaCppsNamesAreUnderstood) {
  const Parsed parsed({"-m",
                       "x.gguf",
                       "-c",
                       "2048",
                       "-n",
                       "5",
                       "-t2",
                       "-b",
                       "64",
                       "--temp",
                       "0.5",
                       "--top-k=7",
                       "--top-p",
                       "0.9",
                       "--min-p",
                       "0.1",
                       "-s",
                       "9",
                       "--repeat-penalty",
                       "1.1",
                       "--repeat-last-n",
                       "-1",
                       "-r",
                       "a",
                       "--reverse-prompt",
                       "b",
                       "--logit-bias",
                       "3+1",
                       "-sys",
                       "be brief",
                       "--keep",
                       "4",
                       "--context-shift"});
  ASSERT_FALSE(parsed.code);
  EXPECT_EQ(parsed.model.model, "x.gguf");
  EXPECT_EQ(parsed.model.ctx_size, 2048);
  EXPECT_EQ(parsed.model.threads, 2);
  EXPECT_EQ(parsed.sampling.predict, 5);
  EXPECT_EQ(parsed.sampling.top_k, 7);
  EXPECT_EQ(parsed.sampling.repeat_last_n, -1);
  EXPECT_EQ(parsed.sampling.stop, (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(parsed.chat.system_prompt, "be brief");
  EXPECT_TRUE(parsed.sampling.context_shift);
}

TEST(Flags, TheLastOfTwoCounts) { EXPECT_EQ(Parsed({"--top-k", "1", "--top-k", "2"}).sampling.top_k, 2); }

TEST(Flags, TextsAreTakenAsTheyAre) {
  EXPECT_EQ(Parsed({"[a,b]"}).prompt, "[a,b]");
  EXPECT_EQ(Parsed({"--", "-x"}).prompt, "-x");
  EXPECT_EQ(Parsed({"-"}).prompt, "-");
  EXPECT_EQ(Parsed({""}).prompt, "");
  EXPECT_EQ(Parsed({"run"}).prompt, "run");  // a command's name is a word like others
  EXPECT_EQ(Parsed({"--stop", "[x,y]", "--stop", "-1"}).sampling.stop,
            (std::vector<std::string>{"[x,y]", "-1"}));
}

TEST(Flags, NumbersThatMakeNoSenseAreRefused) {
  for (const std::vector<std::string>& arguments :
       std::vector<std::vector<std::string>>{{"--top-k", "-1"},
                                             {"--top-k", "abc"},
                                             {"--top-k", "3000000000"},
                                             {"--top-k", "1.5"},
                                             {"--top-k", ""},
                                             {"--temp", "nan"},
                                             {"--temp", "inf"},
                                             {"--temp", "-0.1"},
                                             {"--temp", "1e99"},
                                             {"--top-p", "1.01"},
                                             {"--min-p", "0x1"},
                                             {"--repeat-penalty", "0"},
                                             {"-c", "-5"},
                                             {"-t", "1 "},
                                             {"-b", "0"},
                                             {"-n", "-2"},
                                             {"--reasoning", "yes"},
                                             {"--no-such-flag"},
                                             {"one", "two"},
                                             {"--top-k"},
                                             {"--presence-penalty", "NaN"},
                                             {"-t", "99999999999999999999"}}) {
    ::testing::internal::CaptureStderr();
    const Parsed parsed(arguments);
    const std::string said = ::testing::internal::GetCapturedStderr();
    EXPECT_EQ(parsed.code, 2) << arguments.front();
    EXPECT_TRUE(said.starts_with("inkstone: error: ")) << said;
    EXPECT_EQ(std::count(said.begin(), said.end(), '\n'), 1) << said;
  }
}

TEST(Flags, TheEnvironmentFillsGapsAndNoMore) {
  const Variable top_k("INKSTONE_TOP_K", "5");
  const Variable model("INKSTONE_MODEL", "from-environment");
  EXPECT_EQ(Parsed({}).sampling.top_k, 5);
  EXPECT_EQ(Parsed({}).model.model, "from-environment");
  EXPECT_EQ(Parsed({"--top-k", "6"}).sampling.top_k, 6);
}

TEST(Flags, AnEmptyVariableIsNoValueAndABadOneIsNamed) {
  {
    const Variable empty("INKSTONE_TOP_K", "");
    EXPECT_FALSE(Parsed({}).sampling.top_k);
  }
  const Variable bad("INKSTONE_TOP_K", "many");
  ::testing::internal::CaptureStderr();
  EXPECT_EQ(Parsed({}).code, 2);
  EXPECT_NE(::testing::internal::GetCapturedStderr().find("INKSTONE_TOP_K"), std::string::npos);
  EXPECT_FALSE(Parsed({"--top-k", "6"}).code);  // not looked at
}

TEST(Flags, EnvironmentNamesFollowTheFlags) { EXPECT_EQ(environment_name("ctx-size"), "INKSTONE_CTX_SIZE"); }

TEST(Numbers, AreReadWhole) {
  EXPECT_EQ(*parse_integer("x", "+7", 0, 10), 7);
  EXPECT_EQ(*parse_real("x", "1e-3", 0, 1), 1e-3);
  EXPECT_FALSE(parse_integer("x", "7 ", 0, 10).ok());
  EXPECT_FALSE(parse_real("x", ".", 0, 1).ok());
  EXPECT_EQ(parse_integer("--n", "x", 1, 9).error().message(),
            "--n: expected an integer from 1 to 9, got 'x'");
}

GenerationDefaults defaults() {
  GenerationDefaults result;
  result.sampling.temperature = 0.6f;
  result.sampling.top_k = 20;
  result.stop_tokens = {7};
  return result;
}

TEST(Generation, TheModelsDefaultsHoldUntilAFlagSaysOtherwise) {
  SamplingFlags flags;
  flags.top_k = 3;
  flags.seed = "18446744073709551615";
  flags.predict = 12;
  flags.reasoning_budget = 100;
  const auto options = generation_options(flags, defaults(), 100);
  ASSERT_TRUE(options.ok());
  EXPECT_EQ(options->sampling.temperature, 0.6f);
  EXPECT_EQ(options->sampling.top_k, 3);
  EXPECT_EQ(options->sampling.seed, UINT64_MAX);
  EXPECT_EQ(options->stop_tokens, std::vector<int32_t>{7});
  EXPECT_EQ(options->max_tokens, 12);
  EXPECT_EQ(options->thinking_budget, 100);
}

TEST(Generation, ASeedThatIsNotGivenIsRandom) {
  const auto a = generation_options({}, defaults(), 100);
  const auto b = generation_options({}, defaults(), 100);
  EXPECT_NE(a->sampling.seed, b->sampling.seed);
}

TEST(Generation, LogitBiasIsLlamaCpps) {
  SamplingFlags flags;
  flags.logit_bias = {"3+1.5", "99-2", "5-inf"};
  const auto options = generation_options(flags, defaults(), 100);
  ASSERT_TRUE(options.ok());
  const auto& bias = options->sampling.logit_bias;
  ASSERT_EQ(bias.size(), 3u);
  EXPECT_EQ(bias[0], (std::pair<int32_t, float>{3, 1.5f}));
  EXPECT_EQ(bias[1], (std::pair<int32_t, float>{99, -2.0f}));
  EXPECT_EQ(bias[2].second, -INFINITY);
}

TEST(Generation, WhatCannotBeReadIsRefused) {
  for (const std::string bias : {"", "3", "3+", "+1", "100+1", "-1+1", "3+x", "3+nan", "x+1"}) {
    SamplingFlags flags;
    flags.logit_bias = {bias};
    EXPECT_FALSE(generation_options(flags, defaults(), 100).ok()) << bias;
  }
  for (const std::string seed : {"", "x", "-2", "1.5", "18446744073709551616"}) {
    SamplingFlags flags;
    flags.seed = seed;
    EXPECT_FALSE(generation_options(flags, defaults(), 100).ok()) << seed;
  }
  SamplingFlags flags;
  flags.predict = 0;
  EXPECT_FALSE(generation_options(flags, defaults(), 100).ok());
  flags.predict.reset();
  flags.stop = {""};
  EXPECT_FALSE(generation_options(flags, defaults(), 100).ok());
}

TEST(Generation, ThinkingFollowsTwoFlags) {
  SamplingFlags flags;
  EXPECT_EQ(flags.enable_thinking(), std::nullopt);
  flags.reasoning = "auto";
  EXPECT_EQ(flags.enable_thinking(), std::nullopt);
  flags.reasoning = "on";
  EXPECT_EQ(flags.enable_thinking(), true);
  flags.reasoning_budget = 0;  // the budget is the stricter one
  EXPECT_EQ(flags.enable_thinking(), false);
}

TEST(Program, EveryCommandHasHelpAndAnAction) {
  Action action;
  const auto program = make_program(action);
  EXPECT_EQ(program->get_subcommands({}).size(), 22u);
  for (const CLI::App* command : program->get_subcommands({})) {
    EXPECT_FALSE(command->get_description().empty());
    for (const CLI::Option* option : command->get_options())
      EXPECT_FALSE(option->get_description().empty()) << command->get_name() << " " << option->get_name();
  }
}

}  // namespace
}  // namespace ink::cli
