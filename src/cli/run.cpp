// `inkstone run`: one prompt, one answer. Everything that can be wrong with the input is checked before the
// model is loaded.
#include <memory>

#include "cli/batch.h"
#include "cli/commands.h"
#include "cli/conversation.h"
#include "cli/interrupt.h"
#include "cli/output.h"
#include "cli/prompt_text.h"

namespace ink::cli {
namespace {

struct RunFlags {
  ModelFlags model;
  SamplingFlags sampling;
  ChatFlags chat;
  std::optional<std::string> prompt;
  std::vector<std::string> files;
  std::optional<std::string> batch;
  bool no_chat = false;
  bool special = false;
  bool json = false;
  bool ids = false;
  bool verbose = false;
};

Result<Prompt> make_prompt(const RunFlags& flags, const LoadedModel& model, const std::string& text,
                           const std::vector<Json>& tools) {
  if (flags.no_chat) {
    const TextSegment segment{text, flags.special};
    return Prompt{model.tokenizer().encode(std::span(&segment, 1)), false};
  }
  return chat_prompt(model, opening_messages(flags.chat, text), tools, flags.sampling.enable_thinking());
}

int answer_prompt(const RunFlags& flags, LoadedModel& model, const std::string& text,
                  const std::vector<Json>& tools, const GenerationOptions& options) {
  const auto prompt = make_prompt(flags, model, text, tools);
  if (!prompt.ok()) return report(prompt.error());
  AnswerPrinter printer(shows_thinking(flags.chat));
  const InterruptScope ctrl_c(true);
  const auto on_event = [&](const TurnEvent& event) { return flags.json || printer.print(event); };
  const auto answer = generate_answer(model, *prompt, options, tools, !flags.no_chat, on_event);
  if (!answer.ok()) return report(answer.error());
  if (flags.json)
    output().write_json(answer_json(model, *answer, options, flags.ids));
  else
    printer.finish();
  if (flags.verbose) note(stats_text(answer->generation));
  return end_of_answer(model, *answer);
}

Status check_flags(const RunFlags& flags) {
  const auto wrong = [](const char* where, const char* wanted, const char* got) {
    return Error{ErrorKind::kInvalid, where, wanted, got, "inkstone run --help"};
  };
  if (flags.sampling.logprobs && !flags.json) return wrong("--logprobs", "--json beside it", "none");
  if (flags.ids && !flags.json) return wrong("--ids", "--json beside it", "none");
  if (flags.special && !flags.no_chat) return wrong("--special", "--no-chat beside it", "none");
  if (flags.batch && (flags.prompt || !flags.files.empty() || flags.no_chat))
    return wrong("--batch", "no prompt, no --file and no --no-chat beside it", "one");
  if (flags.chat.system_prompt) return check_utf8("system prompt", *flags.chat.system_prompt);
  return Done{};
}

int run(const RunFlags& flags) {
  if (const Status valid = check_flags(flags); !valid.ok()) return report(valid.error());
  Result<std::vector<BatchLine>> lines = std::vector<BatchLine>();
  Result<std::string> text = std::string();
  if (flags.batch)
    lines = read_batch(*flags.batch);
  else
    text = read_prompt(flags.prompt, flags.files);
  if (!lines.ok()) return report(lines.error());
  if (!text.ok()) return report(text.error());
  Result<std::vector<Json>> tools = std::vector<Json>();
  if (flags.chat.tools_file) tools = read_tools(*flags.chat.tools_file);
  if (!tools.ok()) return report(tools.error());

  auto model = load_model(flags.model, flags.chat.chat_template);
  if (!model.ok()) return report(model.error());
  const Engine& engine = *model->engine;
  const auto options = generation_options(flags.sampling, engine.defaults(), engine.config().vocab_size);
  if (!options.ok()) return report(options.error());
  if (flags.batch)
    return answer_batch(*model, *lines, flags.chat, *tools, flags.sampling.enable_thinking(), *options);
  return answer_prompt(flags, *model, *text, *tools, *options);
}

}  // namespace

void add_run_command(CLI::App& program, Action& action) {
  Command command(program, "run", "Answer one prompt, from the command line, files or stdin");
  auto flags = std::make_shared<RunFlags>();
  command.text("PROMPT", flags->prompt, "What to ask, in quotes; none or - reads stdin");
  command.texts("-f,--file", flags->files,
                "Text file put in front of the prompt, or the prompt itself; repeatable", "FILE");
  command.text("--batch", flags->batch, "Answer every line {\"id\", \"text\"} of a JSONL file, as JSONL",
               "FILE");
  add_engine_flags(command, flags->model);
  add_chat_flags(command, flags->chat);
  command.toggle("--no-chat", flags->no_chat, "Continue the prompt as plain text, without a chat format");
  command.toggle("--special", flags->special,
                 "With --no-chat: <|im_start|> and the like become control tokens");
  add_sampling_flags(command, flags->sampling);
  command.integer("--logprobs", flags->sampling.logprobs, 0, 1000,
                  "With --json: log probabilities of each token and of the N likeliest");
  command.toggle("--json", flags->json, "Print the answer as one JSON object");
  command.toggle("--ids", flags->ids, "With --json: also the token ids");
  command.toggle("-v,--verbose", flags->verbose, "Tell on stderr how long it took");
  command.runs(action, [flags] { return run(*flags); });
}

}  // namespace ink::cli
