// See cli/actor.h.
#include "cli/actor.h"

#include "cli/connected.h"
#include "cli/interrupt.h"
#include "cli/output.h"

namespace ink::cli {
namespace {

// The turns of a request as the conversation keeps them, for a model that was not told about earlier ones.
void remember(const std::string& text, const assistant::Reply& reply,
              std::vector<ChatMessage>& conversation) {
  conversation.push_back(text_message(Role::kUser, text));
  ChatMessage answer = text_message(Role::kAssistant, reply.calls.empty() ? reply.said : "");
  for (const auto& report : reply.calls) answer.tool_calls.push_back(report.call);
  conversation.push_back(answer);
}

}  // namespace

int reply_code(const assistant::Reply& reply) {
  switch (reply.fault) {
    case assistant::RequestFault::kEmpty:
    case assistant::RequestFault::kNotText:
      return kInvalid;
    case assistant::RequestFault::kTooLong:
      return kTooLarge;
    case assistant::RequestFault::kNone:
      break;
  }
  return reply.all_done() ? kOk : kFailed;
}

Result<std::unique_ptr<Actor>> Actor::create(LoadedModel& model) {
  std::unique_ptr<Actor> actor(new Actor(assistant_state()));
  if (Status added = add_tools(actor->registry_, actor->state_); !added.ok()) return added.error();
  if (!is_pocket_model(model.engine->checkpoint())) ConnectedServers(true).add_to(actor->registry_);
  auto proposer = proposer_for(model, {}, actor->registry_);
  if (!proposer.ok()) return proposer.error();
  actor->proposer_ = std::move(*proposer);
  actor->assistant_ = std::make_unique<assistant::Assistant>(actor->registry_, *actor->proposer_, nullptr,
                                                             assistant_options({}));
  actor->watch_.begin();
  return actor;
}

int Actor::take(const std::string& text, std::vector<ChatMessage>& conversation) {
  const bool remembers = proposer_->converses();
  if (remembers) std::swap(assistant_->conversation(), conversation);
  const auto reply = assistant_->ask(text);
  if (remembers) std::swap(assistant_->conversation(), conversation);
  if (!reply.ok() && reply.error().kind == ErrorKind::kCancelled) {
    note("stopped");
    clear_interrupt();
    return kOk;
  }
  if (!reply.ok()) return report(reply.error());
  if (!remembers) remember(text, *reply, conversation);
  for (const auto& one : reply->calls) output().write(call_text(one.call) + "\n");
  output().write(reply->said + "\n");
  output().flush();
  clear_interrupt();
  watch_.begin();
  return reply_code(*reply);
}

}  // namespace ink::cli
