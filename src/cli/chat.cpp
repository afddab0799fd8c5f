// See cli/chat.h, and the loop of `inkstone chat` at the end. The whole conversation is given to the session
// each turn; it finds what it has computed already.
#include "cli/chat.h"

#include <memory>

#include "base/mapped_file.h"
#include "base/utf8.h"
#include "base/xdg_folder.h"
#include "cli/commands.h"
#include "cli/interrupt.h"
#include "cli/line_editor.h"
#include "cli/output.h"
#include "cli/prompt_text.h"

namespace ink::cli {
namespace {

// An answer as the next prompt needs it.
ChatMessage message_of(const AssistantTurn& turn) {
  ChatMessage message = text_message(Role::kAssistant, turn.content);
  if (!turn.reasoning.empty()) message.reasoning = turn.reasoning;
  message.tool_calls = turn.tool_calls;
  return message;
}

bool is_empty(const AssistantTurn& turn) {
  return turn.content.empty() && turn.reasoning.empty() && turn.tool_calls.empty();
}

}  // namespace

struct Chat::Command {
  const char* name;
  const char* argument;
  const char* help;
  int (Chat::*run)(const std::string&);
};

const std::vector<Chat::Command>& Chat::commands() {
  static const std::vector<Command> all = {
      {"/help", "", "this list", &Chat::help},
      {"/clear", "", "forget the conversation, keep the system prompt", &Chat::clear},
      {"/system", "TEXT", "set the system prompt; without TEXT take it away", &Chat::system},
      {"/think", "", "let the model think before it answers", &Chat::think},
      {"/no_think", "", "have it answer at once", &Chat::no_think},
      {"/regenerate", "", "answer the last message again", &Chat::regenerate},
      {"/tools", "", "do what is asked for, or (again) only talk", &Chat::tools},
      {"/save", "FILE", "write the conversation to a JSON file", &Chat::save},
      {"/load", "FILE", "go on with a saved conversation", &Chat::load},
      {"/stats", "", "numbers of the last answer", &Chat::stats},
      {"/exit", "", "leave (also /quit, Ctrl-D)", &Chat::end},
      {"/quit", "", "", &Chat::end},
  };
  return all;
}

Chat::Chat(LoadedModel& model, std::vector<Json> tools, const SamplingFlags& sampling,
           GenerationOptions options, const ChatFlags& flags)
    : model_(model),
      tools_(std::move(tools)),
      options_(std::move(options)),
      enable_thinking_(sampling.enable_thinking()),
      show_thinking_(shows_thinking(flags)) {
  if (flags.system_prompt) messages_.push_back(text_message(Role::kSystem, *flags.system_prompt));
}

int Chat::take(const std::string& message) {
  const std::string text(trimmed(message));
  if (text.empty()) return kOk;
  if (text.starts_with('/')) return run_command(text);
  if (const Status valid = check_utf8("message", message); !valid.ok()) return report(valid.error());
  messages_.push_back(text_message(Role::kUser, message));
  return answer();
}

int Chat::run_command(const std::string& line) {
  const size_t space = std::min(line.find_first_of(" \t\n"), line.size());
  const std::string name = line.substr(0, space);
  const std::string argument(trimmed(line.substr(space)));
  for (const Command& command : commands()) {
    if (name != command.name) continue;
    const bool optional = std::string_view(command.name) == "/system";
    if (*command.argument != '\0' && argument.empty() && !optional)
      return report({ErrorKind::kInvalid, name, command.argument, "nothing", ""});
    return (this->*command.run)(argument);
  }
  return report({ErrorKind::kInvalid, "chat", "a command", "'" + name + "'", "/help lists them"});
}

// Answers the last user message. An answer that was stopped stays in the conversation; when nothing came, the
// message is taken back so that the conversation never holds two user turns in a row.
int Chat::answer() {
  if (actor_ != nullptr) {
    clear_interrupt();
    const std::string text = std::get<std::string>(messages_.back().content);
    messages_.pop_back();
    return actor_->take(text, messages_);
  }
  const auto prompt = chat_prompt(model_, messages_, tools_, enable_thinking_);
  if (!prompt.ok()) {
    messages_.pop_back();
    return report(prompt.error());
  }
  clear_interrupt();
  AnswerPrinter printer(show_thinking_);
  const auto answer = generate_answer(model_, *prompt, options_, tools_, true,
                                      [&](const TurnEvent& event) { return printer.print(event); });
  ++options_.sampling.seed;  // the same question again shall be answered afresh
  if (!answer.ok()) {
    messages_.pop_back();
    return report(answer.error());
  }
  printer.finish();
  last_ = answer->generation;
  if (is_empty(answer->turn) && answer->generation.finish == FinishReason::kCancelled)
    messages_.pop_back();
  else
    messages_.push_back(message_of(answer->turn));
  if (interrupted()) {
    note("stopped");
    clear_interrupt();
    return kOk;
  }
  return end_of_answer(model_, *answer);
}

int Chat::help(const std::string&) {
  for (const Command& command : commands()) {
    if (*command.help == '\0') continue;
    std::string line = std::string(command.name) + " " + command.argument;
    line.resize(std::max<size_t>(line.size() + 1, 18), ' ');
    output().write(line + command.help + "\n");
  }
  output().write(
      "A line that ends with \\ goes on in the next; \"\"\" begins and ends a text of several lines.\n"
      "Ctrl-C stops an answer.\n");
  output().flush();
  return kOk;
}

int Chat::clear(const std::string&) {
  const bool has_system = !messages_.empty() && messages_.front().role == Role::kSystem;
  messages_.resize(has_system ? 1 : 0);
  last_.reset();
  return kOk;
}

int Chat::system(const std::string& text) {
  if (const Status valid = check_utf8("/system", text); !valid.ok()) return report(valid.error());
  if (!messages_.empty() && messages_.front().role == Role::kSystem) messages_.erase(messages_.begin());
  if (!text.empty()) messages_.insert(messages_.begin(), text_message(Role::kSystem, text));
  return kOk;
}

int Chat::think(const std::string&) {
  if (!chat_traits(model_.format).can_think) note("this model has no thinking");
  enable_thinking_ = true;
  return kOk;
}

int Chat::no_think(const std::string&) {
  if (!chat_traits(model_.format).can_choose_thinking && chat_traits(model_.format).can_think)
    note("this model always thinks");
  enable_thinking_ = false;
  return kOk;
}

int Chat::regenerate(const std::string&) {
  if (!messages_.empty() && messages_.back().role == Role::kAssistant) messages_.pop_back();
  if (messages_.empty() || messages_.back().role != Role::kUser)
    return report({ErrorKind::kInvalid, "/regenerate", "an answer to give again", "none", ""});
  return answer();
}

int Chat::act() {
  auto actor = Actor::create(model_);
  if (!actor.ok()) return report(actor.error());
  actor_ = std::move(*actor);
  return kOk;
}

int Chat::tools(const std::string&) {
  if (actor_ == nullptr) {
    const int code = act();
    if (code == kOk) note("messages are acted on");
    return code;
  }
  actor_.reset();
  note("messages are only answered");
  return kOk;
}

int Chat::save(const std::string& path) {
  const Json json{{"model", model_.name()}, {"messages", messages_json(messages_)}};
  const std::string text = json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
  const Status written = write_file_atomically(path, std::as_bytes(std::span(text)));
  return written.ok() ? static_cast<int>(kOk) : report(written.error());
}

int Chat::load(const std::string& path) {
  const auto text = read_utf8_file(path);
  if (!text.ok()) return report(text.error());
  const auto json = parse_json(*text, path);
  if (!json.ok()) return report(json.error());
  const bool wrapped = json->is_object() && json->contains("messages");
  auto messages = parse_messages(wrapped ? (*json)["messages"] : *json, path + ": messages");
  if (!messages.ok()) return report(messages.error());
  unpack_arguments(*messages);
  messages_ = std::move(*messages);
  note(std::to_string(messages_.size()) + " messages loaded");
  return kOk;
}

int Chat::stats(const std::string&) {
  const std::string context = std::to_string(model_.session->tokens().size()) + " of " +
                              std::to_string(model_.engine->options().context_tokens) +
                              " tokens of context used";
  output().write((last_ ? stats_text(*last_) + "; " : "") + context + "\n");
  output().flush();
  return kOk;
}

int Chat::end(const std::string&) {
  ended_ = true;
  return kOk;
}

Json messages_json(const std::vector<ChatMessage>& messages) {
  Json list = Json::array();
  for (const auto& message : messages) {
    Json json;
    json["role"] = role_name(message.role);
    if (const auto* text = std::get_if<std::string>(&message.content)) {
      json["content"] = *text;
    } else if (const auto* parts = std::get_if<std::vector<ContentPart>>(&message.content)) {
      json["content"] = Json::array();
      for (const auto& part : *parts) json["content"].push_back(part.source);
    } else {
      json["content"] = nullptr;
    }
    if (message.reasoning) json["reasoning_content"] = *message.reasoning;
    for (const auto& call : message.tool_calls)
      json["tool_calls"].push_back(
          {{"type", "function"}, {"function", {{"name", call.name}, {"arguments", call.arguments}}}});
    list.push_back(json);
  }
  return list;
}

namespace {

struct ChatCommandFlags {
  ModelFlags model;
  SamplingFlags sampling;
  ChatFlags chat;
  bool no_history = false;
};

// One message, which may take several lines. Nothing: the conversation is over.
std::optional<std::string> read_message(LineEditor& editor) {
  std::string message;
  bool quoted = false;
  for (bool first = true;; first = false) {
    const TypedLine line = editor.read(first ? "> " : "  ");
    if (line.kind == TypedLine::Kind::kEnd) return first ? std::nullopt : std::optional(message);
    if (line.kind == TypedLine::Kind::kInterrupted) {
      if (!editor.on_terminal()) return std::nullopt;
      output().write("\n");
      if (first && line.was_empty) output().write("(Ctrl-D or /exit leaves)\n");
      output().flush();
      return "";
    }
    std::string text = line.text;
    if (first && text.starts_with("\"\"\"")) {
      quoted = true;
      text.erase(0, 3);
    }
    if (quoted) {
      const bool closes = text.ends_with("\"\"\"");
      if (closes) text.resize(text.size() - 3);
      if (closes) return message + text;
      message += text + "\n";
    } else if (text.ends_with('\\')) {
      text.back() = '\n';
      message += text;
    } else {
      return message + text;
    }
  }
}

int chat(const ChatCommandFlags& flags) {
  if (flags.chat.system_prompt) {
    if (const Status valid = check_utf8("system prompt", *flags.chat.system_prompt); !valid.ok())
      return report(valid.error());
  }
  Result<std::vector<Json>> tools = std::vector<Json>();
  if (flags.chat.tools_file) tools = read_tools(*flags.chat.tools_file);
  if (!tools.ok()) return report(tools.error());
  auto model = load_model(flags.model, flags.chat.chat_template);
  if (!model.ok()) return report(model.error());
  const Engine& engine = *model->engine;
  const auto options = generation_options(flags.sampling, engine.defaults(), engine.config().vocab_size);
  if (!options.ok()) return report(options.error());

  const std::filesystem::path state = xdg_folder("XDG_STATE_HOME", ".local/state");
  const bool keeps_history = !flags.no_history && !state.empty();
  LineEditor editor(keeps_history ? state / "inkstone/chat_history" : std::filesystem::path());
  Chat conversation(*model, *tools, flags.sampling, *options, flags.chat);
  // The pocket model was made to act; it does nothing else well.
  if (tools->empty() && is_pocket_model(engine.checkpoint())) conversation.act();
  const InterruptScope ctrl_c(false);
  if (editor.on_terminal())
    note(model->name() + ", " + std::to_string(engine.options().context_tokens) +
         " tokens of context; /help lists commands, Ctrl-D leaves");
  int code = kOk;
  while (!conversation.wants_to_end() && !output().failed()) {
    const auto message = read_message(editor);
    if (!message) break;
    const int taken = conversation.take(*message);
    // A person has seen the error; a script learns of the last one from the exit code.
    if (!editor.on_terminal() && taken != kOk) code = taken;
  }
  return code;
}

}  // namespace

void add_chat_command(CLI::App& program, Action& action) {
  ink::cli::Command command(program, "chat", "Hold a conversation");
  auto flags = std::make_shared<ChatCommandFlags>();
  add_engine_flags(command, flags->model);
  add_chat_flags(command, flags->chat);
  add_sampling_flags(command, flags->sampling);
  command.toggle("--no-history", flags->no_history, "Do not keep typed lines in the state folder");
  command.runs(action, [flags] { return chat(*flags); });
}

}  // namespace ink::cli
