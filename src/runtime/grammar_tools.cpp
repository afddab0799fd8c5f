// See grammar_tools.h.
#include "runtime/grammar_tools.h"

#include <set>

#include "base/utf8.h"
#include "runtime/grammar_schema.h"
#include "runtime/grammar_values.h"
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
};

Result<Declaration> read_declaration(const Json& tool, const std::string& where) {
  const auto function = tool.is_object() ? tool.find("function") : tool.end();
  if (!tool.is_object() || function == tool.end() || !function->is_object())
    return wrong_tools(where, "an object with \"function\"", "something else");
  const auto name = function->find("name");
  if (name == function->end() || !name->is_string() || name->get_ref<const std::string&>().empty() ||
      find_invalid_utf8(name->get_ref<const std::string&>()))
    return wrong_tools(where + ".function.name", "a name", "none");
  Declaration declaration{name->get<std::string>(), nullptr};
  const auto parameters = function->find("parameters");
  if (parameters == function->end() || parameters->is_null()) return declaration;
  if (!parameters->is_object() || parameters->value("type", Json()) != "object") {
    return wrong_tools("tool '" + declaration.name + "': parameters", "a schema of type object",
                       "something else");
  }
  declaration.parameters = &*parameters;
  return declaration;
}

// The rule of one call. Its tools differ from the name on and share what follows the arguments.
Result<uint32_t> compile_call(GrammarBuilder& builder, std::span<const Json> tools) {
  SchemaCompiler schemas(builder);
  std::set<std::string> names;
  const uint32_t close = builder.text("}\n", builder.marker(kToolCallClose, builder.done()));
  uint32_t call = 0;
  for (size_t i = 0; i < tools.size(); ++i) {
    const auto declaration = read_declaration(tools[i], "tools[" + std::to_string(i) + "]");
    if (!declaration.ok()) return declaration.error();
    const std::string where = "tool '" + declaration->name + "'";
    if (!names.insert(declaration->name).second)
      return wrong_tools(where, "a name of its own", "the same twice");
    uint32_t arguments = 0;
    if (declaration->parameters == nullptr) {
      arguments = builder.text("{}", close);
    } else {
      const auto rule = schemas.compile(*declaration->parameters, where + ": parameters");
      if (!rule.ok()) return rule.error();
      arguments = builder.call(*rule, close);
    }
    const std::string head = python_json(Json(declaration->name)) + ", \"arguments\": ";
    const uint32_t tool = builder.text(head, arguments);
    call = i == 0 ? tool : builder.either(call, tool);
  }
  return builder.marker(kToolCallOpen, builder.text("\n{\"name\": ", call));
}

uint32_t add_calls(GrammarBuilder& builder, uint32_t call, int max_calls) {
  const uint32_t another = builder.text("\n", builder.call(call, builder.done()));
  const auto more = static_cast<uint32_t>(max_calls - 1);
  return builder.call(call, builder.repeat(another, 0, more, builder.end()));
}

uint32_t add_reply(GrammarBuilder& builder) {
  builder.set_in_reply(true);
  const uint32_t reply = add_text_without(builder, kToolCallOpen, builder.end());
  builder.set_in_reply(false);
  return reply;
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
  GrammarBuilder builder;
  // Also where no call is wanted: a declaration that is refused is refused whatever the choice.
  uint32_t calls = 0;
  if (!tools.empty()) {
    const auto call = compile_call(builder, tools);
    if (!call.ok()) return call.error();
    calls = add_calls(builder, *call, options.max_calls);
  }
  uint32_t start = calls;
  if (options.choice == ToolChoice::kNone || tools.empty()) {
    start = add_reply(builder);
  } else if (options.choice == ToolChoice::kAuto) {
    start = builder.either(calls, add_reply(builder));
  }
  if (options.after_thinking) start = builder.text("\n\n", start);
  if (builder.full()) {
    return Error{ErrorKind::kTooLarge, "tools",
                 "a grammar of at most " + std::to_string(GrammarBuilder::kMaxNodes) + " nodes",
                 "a larger one", ""};
  }
  return builder.finish(start);
}

}  // namespace ink
