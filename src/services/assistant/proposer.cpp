// See services/assistant/proposer.h.
#include "services/assistant/proposer.h"

#include "text/tool_calls.h"

namespace ink::assistant {
namespace {

// "copied" is a hint for the constraint and no part of JSON Schema: a model never trained on it need not read
// it.
Json without_hints(Json tool) {
  if (!tool.contains("function") || !tool["function"].contains("parameters")) return tool;
  Json& parameters = tool["function"]["parameters"];
  if (!parameters.is_object() || !parameters.contains("properties")) return tool;
  for (auto& property : parameters["properties"]) {
    if (property.is_object()) property.erase("copied");
  }
  return tool;
}

class EngineProposer final : public Proposer {
 public:
  EngineProposer(const Engine& engine, Session& session, ChatFormat format, ProposerOptions options)
      : engine_(engine), session_(session), format_(format), options_(std::move(options)) {
    if (!options_.knows_tools) {
      for (const auto& tool : options_.tools) chat_.tools.push_back(without_hints(tool));
    }
    chat_.enable_thinking =
        false;  // an answer within a second is worth more here than one that was thought over
  }

  bool converses() const override { return !options_.knows_tools; }

  Result<Proposal> propose(std::span<const ChatMessage> conversation,
                           const std::function<bool()>& cancelled) override {
    if (!converses()) conversation = conversation.last(1);
    const auto segments = render_chat(format_, conversation, chat_);
    if (!segments.ok()) return segments.error();
    const std::vector<int32_t> prompt = engine_.tokenizer()->encode(*segments);
    const bool thinks = prompt_starts_thinking(format_, chat_.enable_thinking);
    GenerationOptions generation = options_.generation;
    generation.max_tokens = options_.max_tokens;
    generation.starts_in_thinking = thinks;
    TurnParser parser(format_, options_.tools, thinks);
    const auto on_piece = [&](const GeneratedPiece& piece) {
      parser.push(piece.text);
      return !(cancelled && cancelled());
    };
    const auto generated = session_.generate(prompt, generation, on_piece);
    if (!generated.ok()) return generated.error();
    if (generated->finish == FinishReason::kCancelled)
      return Error{ErrorKind::kCancelled, "assistant", "", "stopped", ""};
    parser.finish();
    return Proposal{parser.turn().content, parser.turn().tool_calls};
  }

 private:
  const Engine& engine_;
  Session& session_;
  ChatFormat format_;
  ProposerOptions options_;
  ChatOptions chat_;
};

}  // namespace

std::unique_ptr<Proposer> make_proposer(const Engine& engine, Session& session, ChatFormat format,
                                        ProposerOptions options) {
  return std::make_unique<EngineProposer>(engine, session, format, std::move(options));
}

}  // namespace ink::assistant
