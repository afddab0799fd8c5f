// See services/assistant/assistant.h.
#include "services/assistant/assistant.h"

#include <algorithm>

#include "base/utf8.h"
#include "services/assistant/call.h"
#include "services/assistant/phrases.h"
#include "services/assistant/policy.h"
#include "services/assistant/schema.h"

namespace ink::assistant {
namespace {

constexpr size_t kMostCalls = 16;          // of one turn: more is a model that has lost its way
constexpr int kMostRounds = 4;             // of calls, results, calls, …
constexpr size_t kMostResultBytes = 8192;  // of one result given back to a model

ChatMessage message(Role role, std::string text) {
  ChatMessage one;
  one.role = role;
  one.content = std::move(text);
  return one;
}

ChatMessage calls_message(const Proposal& proposal) {
  ChatMessage one = message(Role::kAssistant, proposal.reply);
  one.tool_calls = proposal.calls;
  return one;
}

ChatMessage result_message(const CallReport& report) {
  Json result = report.outcome.data;
  if (!report.outcome.done()) result = {{"error", report.outcome.problem}};
  const std::string text = json_text(result);
  return message(Role::kTool, std::string(first_characters(text, kMostResultBytes)));
}

void append_sentence(std::string& said, const std::string& sentence, const Voice& voice) {
  if (sentence.empty()) return;
  if (!said.empty() && voice.language == Language::kEnglish) said += ' ';
  said += sentence;
}

std::string milliseconds(double seconds) {
  char text[40];
  std::snprintf(text, sizeof text, "%.1f ms", seconds * 1000);
  return text;
}

// "Unlock the front door?" A tool without a question of its own is asked about with everything that would be
// done.
std::string question_for(const ToolCall& call, const Voice& voice) {
  if (std::string own = say(Words{"confirm." + call.name, call.arguments}, voice); !own.empty()) return own;
  return say(Words{"confirm", {{"tool", call.name}, {"arguments", python_json(call.arguments)}}}, voice);
}

// Whether anything in a conversation was written by a tool: whoever wrote it may have meant to give orders.
bool has_tool_text(const std::vector<ChatMessage>& conversation) {
  return std::any_of(conversation.begin(), conversation.end(),
                     [](const ChatMessage& one) { return one.role == Role::kTool; });
}

// Whether a done call still has to be put into words by the model: it has data and no sentence of its own.
bool wants_retelling(const std::vector<CallReport>& calls, size_t from) {
  return std::any_of(
      calls.begin() + static_cast<std::ptrdiff_t>(from), calls.end(),
      [](const CallReport& report) { return report.outcome.done() && report.outcome.words.phrase.empty(); });
}

}  // namespace

// What one request has led to so far.
struct Assistant::Turn {
  Proposer& proposer;
  std::vector<ChatMessage>& conversation;
  const std::string& text;
  const Voice& voice;
  Reply reply;
};

bool Reply::all_done() const {
  return std::all_of(calls.begin(), calls.end(), [](const auto& report) { return report.outcome.done(); });
}

RequestFault check_request(const std::string& text) {
  if (find_invalid_utf8(text)) return RequestFault::kNotText;
  if (count_characters(text) > kMostRequestCharacters) return RequestFault::kTooLong;
  return trimmed(text).empty() ? RequestFault::kEmpty : RequestFault::kNone;
}

Assistant::Assistant(const Registry& registry, Proposer& first, Proposer* larger, AssistantOptions options)
    : registry_(registry), first_(first), larger_(larger), options_(std::move(options)) {}

void Assistant::log(const std::string& line) const {
  if (options_.log) options_.log(line);
}

std::optional<Reply> refused(const std::string& text) {
  Reply reply;
  reply.declined = true;
  reply.fault = check_request(text);
  const char* sentence = reply.fault == RequestFault::kEmpty     ? "request.empty"
                         : reply.fault == RequestFault::kTooLong ? "request.too_long"
                                                                 : "request.not_text";
  if (reply.fault == RequestFault::kNone) return std::nullopt;
  if (reply.fault != RequestFault::kNotText) reply.voice = detect_voice(text);
  reply.said = say(Words{sentence, {}}, reply.voice);
  return reply;
}

Result<Reply> Assistant::ask(const std::string& text) {
  if (auto refusal = refused(text)) return std::move(*refusal);
  const bool is_ours = !is_other_language(text);
  const Voice voice = is_ours ? detect_voice(text) : Voice{};
  if (!is_ours && !first_.converses() && larger_ == nullptr) {
    Reply refusal;
    refusal.declined = true;
    refusal.said = say(Words{"request.other_language", {}}, voice);
    return refusal;
  }
  auto reply = ask_one(first_, text, voice);
  if (larger_ == nullptr || (reply.ok() && !reply->declined)) return reply;
  if (!reply.ok() && reply.error().kind == ErrorKind::kCancelled) return reply;
  log("the first model declines; asking the larger one");
  return ask_one(*larger_, text, voice);
}

Result<Reply> Assistant::ask_one(Proposer& proposer, const std::string& text, const Voice& voice) {
  std::vector<ChatMessage> passing;  // for a proposer that remembers nothing
  Turn turn{proposer, proposer.converses() ? conversation_ : passing, text, voice, {}};
  turn.reply.voice = voice;
  const size_t before = turn.conversation.size();
  turn.conversation.push_back(message(Role::kUser, text));
  for (int round = 0; round < kMostRounds; ++round) {
    auto proposal = proposer.propose(turn.conversation, options_.cancelled);
    if (!proposal.ok() && proposal.error().kind == ErrorKind::kTooLarge && round == 0 && before > 0) {
      turn.conversation.clear();  // it has outgrown the context: begin a new one with this request
      return ask_one(proposer, text, voice);
    }
    if (!proposal.ok()) {
      log("the model: " + proposal.error().wanted + " " + proposal.error().advice);
      if (!turn.reply.calls.empty()) break;  // what was done is said in any case
      turn.conversation.resize(before);
      if (proposal.error().kind != ErrorKind::kTooLarge) return proposal.error();
      turn.reply.declined = true;
      turn.reply.fault = RequestFault::kTooLong;
      turn.reply.said = say(Words{"request.too_long", {}}, voice);
      return std::move(turn.reply);
    }
    log("understood in " + milliseconds(proposal->prompt_seconds) + " + " +
        milliseconds(proposal->answer_seconds));
    if (!take(turn, std::move(*proposal))) break;
  }
  Reply& reply = turn.reply;
  if (options_.dry_run && !reply.calls.empty()) reply.said = say(Words{"dry_run", {}}, voice);
  if (reply.said.empty()) reply.said = say(Words{reply.declined ? "request.declined" : "done", {}}, voice);
  return std::move(reply);
}

bool Assistant::take(Turn& turn, Proposal proposal) {
  Reply& reply = turn.reply;
  if (proposal.calls.empty()) {
    turn.conversation.push_back(message(Role::kAssistant, proposal.reply));
    append_sentence(reply.said, std::string(trimmed(proposal.reply)), turn.voice);
    reply.declined = reply.calls.empty();
    return false;
  }
  if (proposal.calls.size() > kMostCalls) proposal.calls.resize(kMostCalls);
  const bool converses = turn.proposer.converses();
  const size_t first = reply.calls.size();
  const bool after_tool_text = has_tool_text(turn.conversation);
  for (const auto& call : proposal.calls) reply.calls.push_back(do_call(call, turn, after_tool_text));
  const bool retell = converses && wants_retelling(reply.calls, first);
  turn.conversation.push_back(calls_message(proposal));
  for (size_t i = first; i < reply.calls.size(); ++i) {
    if (converses) turn.conversation.push_back(result_message(reply.calls[i]));
    const Outcome& outcome = reply.calls[i].outcome;
    const bool told_by_model = retell && outcome.done() && outcome.words.phrase.empty();
    if (!told_by_model) append_sentence(reply.said, reply.calls[i].said, turn.voice);
  }
  return retell;
}

CallReport Assistant::do_call(const ToolCall& call, const Turn& turn, bool after_tool_text) {
  CallReport report{call, act(call, turn, after_tool_text), ""};
  report.said = say(report.outcome, turn.voice);
  log(call.name.substr(0, 64) + ": " + (report.outcome.done() ? "done" : report.outcome.problem) +
      (report.outcome.detail.empty() ? "" : " (" + report.outcome.detail + ")"));
  return report;
}

Outcome Assistant::act(const ToolCall& call, const Turn& turn, bool after_tool_text) {
  const std::shared_ptr<Tool> tool = registry_.find(call.name);
  if (tool == nullptr) return failed("no_such_tool");
  const Status fits = check_arguments(call.arguments, tool->parameters(), call.name);
  // The error names the place and the schema, never the value: that would be the person's words in a log.
  if (!fits.ok()) return failed(problem::kInvalid, fits.error().where + ": wanted " + fits.error().wanted);
  if (options_.dry_run) return done("dry_run");
  if (options_.cancelled && options_.cancelled()) return failed(problem::kCancelled);
  Circumstances circumstances;
  circumstances.risk = tool->risk(call.arguments);
  circumstances.after_tool_text = after_tool_text;
  circumstances.yes_in_advance = options_.yes;
  circumstances.person_at_terminal = static_cast<bool>(options_.confirm);
  const Decision decision = decide(circumstances);
  if (decision == Decision::kLeave) return failed(problem::kUnconfirmed);
  if (decision == Decision::kAsk) {
    const std::string question = question_for(call, turn.voice);
    if (!options_.confirm(question)) return failed("declined");
  }
  CallContext context;
  context.voice = turn.voice;
  context.utterance = turn.text;
  return call_tool(tool, call.arguments, std::move(context), options_.cancelled);
}

}  // namespace ink::assistant
