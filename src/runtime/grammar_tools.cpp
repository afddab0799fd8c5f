// See grammar_tools.h.
#include "runtime/grammar_tools.h"

#include <set>

#include "base/json_pointer.h"
#include "base/utf8.h"
#include "runtime/grammar_gbnf.h"
#include "runtime/grammar_schema.h"
#include "runtime/grammar_values.h"
#include "runtime/grammar_xml.h"
#include "text/parameter_types.h"
#include "text/tool_calls_scan.h"

namespace ink {
namespace {

constexpr size_t kMaxTools = 1024;

Error wrong_tools(std::string where, std::string wanted, std::string got) {
  return {ErrorKind::kInvalid, std::move(where), std::move(wanted), std::move(got), ""};
}

struct Declaration {
  std::string name;
  const Json* parameters = nullptr;  // null: no arguments
  bool strict = false;
};

Result<Declaration> read_declaration(const Json& tool, const std::string& where) {
  const Json* function = find_member(tool, "function");
  if (function == nullptr || !function->is_object())
    return wrong_tools(where, "an object with \"function\"", "something else");
  const Json* name = find_member(*function, "name");
  if (name == nullptr || !name->is_string() || name->get_ref<const std::string&>().empty() ||
      find_invalid_utf8(name->get_ref<const std::string&>()))
    return wrong_tools(where + ".function.name", "a name", "none");
  Declaration declaration{name->get<std::string>(), nullptr, false};
  if (const Json* strict = find_member(*function, "strict"); strict != nullptr && !strict->is_null()) {
    if (!strict->is_boolean())
      return wrong_tools("tool '" + declaration.name + "': strict", "true or false", strict->type_name());
    declaration.strict = strict->get<bool>();
  }
  const Json* parameters = find_member(*function, "parameters");
  if (parameters == nullptr || parameters->is_null() || *parameters == Json::object()) return declaration;
  const Json* type = declared_keyword(*parameters, "type");
  if (type == nullptr || *type != "object")
    return wrong_tools("tool '" + declaration.name + "': parameters", "a schema of type object",
                       "something else");
  declaration.parameters = parameters;
  return declaration;
}

// All of a turn. Its tools differ from the name on and share what follows the arguments.
class TurnBuilder {
 public:
  explicit TurnBuilder(const ToolGrammarOptions& options) : options_(options) {
    builder_.set_max_frames(SchemaCompiler::kMaxFrames);
  }

  Result<Grammar> build(std::span<const Json> tools);

 private:
  Result<uint32_t> build_call(std::span<const Json> tools);
  Result<uint32_t> build_tool(const Declaration& declaration, uint32_t close);
  Result<uint32_t> build_arguments(const Declaration& declaration, bool lenient, uint32_t close);
  Result<uint32_t> build_reply(uint32_t after_text);

  const ToolGrammarOptions& options_;
  GrammarBuilder builder_;
  SchemaCompiler schemas_{builder_};
  const Json any_object_ = Json{{"type", "object"}};
};

// Only the named tool where there is one; the declarations of the others are read all the same.
Result<uint32_t> TurnBuilder::build_call(std::span<const Json> tools) {
  std::set<std::string> names;
  const uint32_t end = builder_.marker(kToolCallClose, builder_.done());
  const uint32_t close = options_.xml_calls ? end : builder_.text("}\n", end);
  uint32_t call = builder_.nothing();
  for (size_t i = 0; i < tools.size(); ++i) {
    const auto declaration = read_declaration(tools[i], "tools[" + std::to_string(i) + "]");
    if (!declaration.ok()) return declaration.error();
    if (!names.insert(declaration->name).second)
      return wrong_tools("tool '" + declaration->name + "'", "a name of its own", "the same twice");
    if (!options_.named_tool.empty() && declaration->name != options_.named_tool) continue;
    const auto tool = build_tool(*declaration, close);
    if (!tool.ok()) return tool;
    call = builder_.either(call, *tool);
  }
  if (!options_.named_tool.empty() && names.count(options_.named_tool) == 0)
    return wrong_tools("tool_choice", "the name of a tool", "'" + options_.named_tool + "'");
  const uint32_t body = options_.xml_calls ? call : builder_.text("\n{\"name\": ", call);
  return builder_.marker(kToolCallOpen, body);
}

Result<uint32_t> TurnBuilder::build_tool(const Declaration& declaration, uint32_t close) {
  auto tool = build_arguments(declaration, false, close);
  const bool may_be_lenient =
      !declaration.strict && !options_.all_strict && options_.choice != ToolChoice::kRequired;
  if (!tool.ok() && tool.error().kind == ErrorKind::kUnsupported && may_be_lenient)
    tool = build_arguments(declaration, true, close);
  if (tool.ok() && builder_.full())
    return Error{ErrorKind::kTooLarge, "tools",
                 "a grammar of at most " + std::to_string(GrammarBuilder::kMaxNodes) + " nodes",
                 "a larger one", ""};
  return tool;
}

Result<uint32_t> TurnBuilder::build_arguments(const Declaration& declaration, bool lenient, uint32_t close) {
  const std::string where = "tool '" + declaration.name + "'";
  if (options_.xml_calls) {
    const auto add = lenient ? add_lenient_xml_call : add_xml_call;
    return add(builder_, declaration.name, declaration.parameters, where + ": parameters", close);
  }
  const std::string head = python_json(Json(declaration.name)) + ", \"arguments\": ";
  if (declaration.parameters == nullptr) return builder_.text(head + "{}", close);
  const auto rule = schemas_.compile(lenient ? any_object_ : *declaration.parameters, where + ": parameters");
  if (!rule.ok()) return rule;
  return builder_.text(head, builder_.call(*rule, close));
}

// after_text: what may follow free text.
Result<uint32_t> TurnBuilder::build_reply(uint32_t after_text) {
  const std::string where = "response_format";
  switch (options_.reply.kind) {
    case ReplyFormat::Kind::kText: {
      builder_.set_in_reply(true);
      const uint32_t reply = add_text_without(builder_, {kToolCallOpen}, after_text);
      builder_.set_in_reply(false);
      return reply;
    }
    case ReplyFormat::Kind::kGbnf:
      return add_gbnf(builder_, options_.reply.gbnf, builder_.end());
    case ReplyFormat::Kind::kJsonObject:
    case ReplyFormat::Kind::kJsonSchema:
      break;
  }
  const bool any = options_.reply.kind == ReplyFormat::Kind::kJsonObject;
  const auto rule =
      SchemaCompiler(builder_, JsonLayout::kLoose).compile(any ? any_object_ : options_.reply.schema, where);
  if (!rule.ok()) return rule;
  return builder_.call(*rule, builder_.end());
}

Result<Grammar> TurnBuilder::build(std::span<const Json> tools) {
  // Also where no call is wanted: a declaration that is refused is refused whatever the choice.
  uint32_t start = builder_.nothing();
  if (!tools.empty()) {
    const auto call = build_call(tools);
    if (!call.ok()) return call.error();
    const uint32_t another = builder_.text("\n", builder_.call(*call, builder_.done()));
    const auto more = static_cast<uint32_t>(options_.max_calls - 1);
    const uint32_t calls = builder_.call(*call, builder_.repeat(another, 0, more, builder_.end()));
    if (options_.choice != ToolChoice::kNone) start = calls;
  }
  if (options_.choice != ToolChoice::kRequired) {
    if (options_.reply.kind == ReplyFormat::Kind::kGbnf && !tools.empty() &&
        options_.choice == ToolChoice::kAuto)
      return Error{ErrorKind::kUnsupported, "grammar", "a grammar, or tools that may be called", "both",
                   "a text of the grammar could be taken for a call"};
    const bool goes_on = options_.text_before_calls && options_.choice == ToolChoice::kAuto && !tools.empty();
    builder_.set_in_reply(true);  // a reply that is at its end is one still
    const uint32_t end = builder_.end();
    builder_.set_in_reply(false);
    const auto reply = build_reply(goes_on ? builder_.either(end, start) : end);
    if (!reply.ok()) return reply.error();
    start = builder_.either(start, *reply);
  }
  if (options_.after_thinking) start = builder_.text("\n\n", start);
  // What is thought is not looked at: the constraint sleeps until </think>.
  if (options_.may_think)
    start = builder_.either(start, builder_.marker("<think>", builder_.text("\n\n", start)));
  if (builder_.full()) {
    return Error{ErrorKind::kTooLarge, "tools",
                 "a grammar of at most " + std::to_string(GrammarBuilder::kMaxNodes) + " nodes",
                 "a larger one", ""};
  }
  Grammar grammar = builder_.finish(start);
  if (!grammar.can_finish(start, true)) {
    const bool deep = grammar.depth_to_finish(start, true) != Grammar::kNever;
    return Error{deep ? ErrorKind::kTooLarge : ErrorKind::kInvalid,
                 options_.choice == ToolChoice::kRequired ? "tools" : "response_format",
                 "a schema that a value fits", deep ? "one of too deep values" : "one that nothing fits", ""};
  }
  return grammar;
}

}  // namespace

Result<Grammar> compile_tools(std::span<const Json> tools, const ToolGrammarOptions& options) {
  if (tools.size() > kMaxTools) {
    return Error{ErrorKind::kTooLarge, "tools", "at most " + std::to_string(kMaxTools),
                 std::to_string(tools.size()), ""};
  }
  if (options.max_calls < 1) return wrong_tools("max_calls", "at least 1", std::to_string(options.max_calls));
  if (tools.empty() && options.choice == ToolChoice::kRequired)
    return wrong_tools("tools", "a tool, since a call is required", "none");
  return TurnBuilder(options).build(tools);
}

}  // namespace ink
