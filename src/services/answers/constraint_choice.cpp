// See services/answers/constraint_choice.h.
#include "services/answers/constraint_choice.h"

namespace ink {
namespace {

constexpr int kManyCalls = 32;

bool is_strict(const Json& tool) {
  const Json& function = tool["function"];
  return function.value("strict", Json()) == true;
}

ToolGrammarOptions grammar_options(const ServedModel& model, const AnswerRequest& request,
                                   const AnswerPrompt& prompt) {
  ToolGrammarOptions options;
  options.choice = request.tools.empty() ? ToolChoice::kNone : request.tool_choice;
  options.named_tool = request.named_tool;
  options.max_calls = request.parallel_tool_calls ? kManyCalls : 1;
  options.xml_calls = chat_traits(model.format).xml_tools;
  options.reply = request.reply;
  options.after_thinking = prompt.starts_in_thinking;
  return options;
}

// The tools as the constraint enforces them.
Result<std::vector<Json>> enforced_tools(const AnswerRequest& request, const ToolGrammarOptions& options) {
  std::vector<Json> tools = request.tools;
  ToolGrammarOptions alone = options;
  alone.choice = ToolChoice::kRequired;
  alone.named_tool.clear();
  alone.reply = {};
  for (size_t i = 0; i < tools.size(); ++i) {
    if (is_strict(tools[i]) || !tools[i]["function"].contains("parameters")) continue;
    const auto compiled = compile_tools(std::span(&tools[i], 1), alone);
    if (compiled.ok() || compiled.error().kind == ErrorKind::kInvalid) continue;
    tools[i]["function"]["parameters"] = {{"type", "object"}, {"additionalProperties", true}};
  }
  return tools;
}

std::string key_of(const AnswerRequest& request, const ToolGrammarOptions& options) {
  Json key = Json::array();
  key.push_back(static_cast<int>(options.choice));
  key.push_back(options.named_tool);
  key.push_back(options.max_calls);
  key.push_back(options.after_thinking);
  key.push_back(static_cast<int>(options.reply.kind));
  key.push_back(options.reply.schema);
  key.push_back(options.reply.gbnf);
  if (options.choice != ToolChoice::kNone) key.push_back(Json(request.tools));
  return key.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace

Result<std::shared_ptr<const TokenGrammar>> choose_constraint(const ServedModel& model,
                                                              const AnswerRequest& request,
                                                              const AnswerPrompt& prompt) {
  const bool has_tools = !request.tools.empty();
  if (!has_tools && request.reply.kind == ReplyFormat::Kind::kText) return GrammarShelf::Shared();
  if (model.tree == nullptr)
    return Error{ErrorKind::kUnsupported, "model", "", "without a tokenizer answers have no form", ""};
  if (request.continue_last && request.reply.kind != ReplyFormat::Kind::kText)
    return Error{ErrorKind::kUnsupported, "messages", "", "a reply with a form cannot be continued in its middle", ""};
  const ToolGrammarOptions options = grammar_options(model, request, prompt);
  return model.grammars->find_or_make(key_of(request, options), [&]() -> Result<GrammarShelf::Shared> {
    Result<std::vector<Json>> tools = std::vector<Json>();
    if (options.choice != ToolChoice::kNone) tools = enforced_tools(request, options);
    if (!tools.ok()) return tools.error();
    auto grammar = compile_tools(*tools, options);
    if (!grammar.ok()) return grammar.error();
    return TokenGrammar::create(std::move(*grammar), model.tree);
  });
}

}  // namespace ink
