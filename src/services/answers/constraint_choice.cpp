// See services/answers/constraint_choice.h.
#include "services/answers/constraint_choice.h"

namespace ink {
namespace {

constexpr int kManyCalls = 32;

ToolGrammarOptions grammar_options(const ServedModel& model, const AnswerRequest& request,
                                   const AnswerPrompt& prompt) {
  ToolGrammarOptions options;
  options.choice = request.tools.empty() ? ToolChoice::kNone : request.tool_choice;
  options.named_tool = request.named_tool;
  options.max_calls = request.parallel_tool_calls ? kManyCalls : 1;
  options.xml_calls = chat_traits(model.format).xml_tools;
  options.reply = request.reply;
  options.after_thinking = prompt.starts_in_thinking;
  options.may_think = prompt.may_think;
  options.text_before_calls = true;
  return options;
}

std::string key_of(const AnswerRequest& request, const ToolGrammarOptions& options) {
  Json key = Json::array();
  key.push_back(static_cast<int>(options.choice));
  key.push_back(options.named_tool);
  key.push_back(options.max_calls);
  key.push_back(options.after_thinking);
  key.push_back(options.may_think);
  key.push_back(static_cast<int>(options.reply.kind));
  key.push_back(options.reply.schema);
  key.push_back(options.reply.gbnf);
  key.push_back(Json(request.tools));
  return json_text(key);
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
    return Error{ErrorKind::kUnsupported, "messages", "",
                 "a reply with a form cannot be continued in its middle", ""};
  const ToolGrammarOptions options = grammar_options(model, request, prompt);
  return model.grammars->find_or_make(key_of(request, options), [&]() -> Result<GrammarShelf::Shared> {
    auto grammar = compile_tools(request.tools, options);
    if (!grammar.ok()) return grammar.error();
    return TokenGrammar::create(std::move(*grammar), model.tree);
  });
}

}  // namespace ink
