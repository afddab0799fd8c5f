// See services/assistant/proposer.h.
#include "services/assistant/proposer.h"

#include "runtime/constraint.h"
#include "runtime/grammar_tools.h"
#include "services/assistant/plain_schema.h"
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
  EngineProposer(const Engine& engine, Session& session, ChatFormat format, ProposerOptions options,
                 std::shared_ptr<const TokenGrammar> grammar)
      : engine_(engine),
        session_(session),
        format_(format),
        options_(std::move(options)),
        grammar_(std::move(grammar)) {
    if (!options_.knows_tools) {
      for (const auto& tool : options_.tools) chat_.tools.push_back(without_hints(tool));
    }
    chat_.enable_thinking = false;  // an answer at once is worth more here than one that was thought over
  }

  bool converses() const override { return !options_.knows_tools; }

  Result<Proposal> propose(std::span<const ChatMessage> conversation,
                           const std::function<bool()>& cancelled) override {
    if (!converses()) conversation = conversation.last(1);
    const auto segments = render_chat(format_, conversation, chat_);
    if (!segments.ok()) return segments.error();
    const std::vector<int32_t> prompt = engine_.tokenizer()->encode(*segments);
    auto constraint = constraint_for(conversation);
    if (!constraint.ok()) return constraint.error();
    GenerationOptions generation = options_.generation;
    generation.constraint = constraint->get();
    generation.max_tokens = options_.max_tokens;
    generation.starts_in_thinking = prompt_starts_thinking(format_, chat_.enable_thinking);
    TurnParser parser(format_, options_.tools, generation.starts_in_thinking);
    const auto goes_on = [&] { return !(cancelled && cancelled()); };
    const auto generated = session_.generate(
        prompt, generation,
        [&](const GeneratedPiece& piece) {
          parser.push(piece.text);
          return goes_on();
        },
        [&](int64_t, int64_t) { return goes_on(); });
    if (!generated.ok()) return generated.error();
    if (generated->finish == FinishReason::kCancelled)
      return Error{ErrorKind::kCancelled, "assistant", "", "stopped", ""};
    parser.finish();
    Proposal proposal{parser.turn().content, parser.turn().tool_calls, generated->prompt_seconds,
                      generated->generation_seconds};
    // A turn that was cut off may end in half a call, which is no sentence to say.
    if (generated->finish != FinishReason::kStop) proposal.reply.clear();
    return proposal;
  }

 private:
  // Null where there is no grammar.
  Result<std::unique_ptr<Constraint>> constraint_for(std::span<const ChatMessage> conversation) const {
    if (grammar_ == nullptr) return std::unique_ptr<Constraint>();
    ConstraintOptions options;
    options.max_reply_tokens = options_.max_reply_tokens;
    for (const auto& one : conversation) {
      const auto* text = std::get_if<std::string>(&one.content);
      if (one.role == Role::kUser && text != nullptr) options.request = *text;  // the last one counts
    }
    return Constraint::create(grammar_, options);
  }

  const Engine& engine_;
  Session& session_;
  ChatFormat format_;
  ProposerOptions options_;
  ChatOptions chat_;
  std::shared_ptr<const TokenGrammar> grammar_;
};

}  // namespace

Result<std::unique_ptr<Proposer>> make_proposer(const Engine& engine, Session& session, ChatFormat format,
                                                ProposerOptions options) {
  std::shared_ptr<const TokenGrammar> shared;
  if (!chat_traits(format).xml_tools) {
    for (auto& tool : options.tools) tool = enforceable(tool);
    ToolGrammarOptions grammar_options;
    if (options.must_call) grammar_options.choice = ToolChoice::kRequired;
    grammar_options.after_thinking = prompt_starts_thinking(format, false);
    auto grammar = compile_tools(options.tools, grammar_options);
    if (!grammar.ok()) return grammar.error();
    shared = TokenGrammar::create(std::move(*grammar), TokenTree::create(*engine.tokenizer()));
  }
  return std::unique_ptr<Proposer>(
      std::make_unique<EngineProposer>(engine, session, format, std::move(options), std::move(shared)));
}

}  // namespace ink::assistant
