// See services/assistant/tool.h.
#include "services/assistant/tool.h"

#include "base/json_pointer.h"

namespace ink::assistant {
namespace {

class FunctionTool final : public Tool {
 public:
  FunctionTool(Json declaration, CallFunction call, RiskFunction risk)
      : declaration_(std::move(declaration)), call_(std::move(call)), risk_(std::move(risk)) {}
  const Json& declaration() const override { return declaration_; }
  Risk risk(const Json& arguments) const override { return risk_ ? risk_(arguments) : Risk::kHarmless; }
  Outcome call(const Json& arguments, const CallContext& context) override {
    return call_(arguments, context);
  }

 private:
  Json declaration_;
  CallFunction call_;
  RiskFunction risk_;
};

}  // namespace

Outcome done(std::string phrase, Json slots, Json data) {
  Outcome outcome;
  outcome.words = {std::move(phrase), std::move(slots)};
  outcome.data = std::move(data);
  return outcome;
}

Outcome failed(std::string problem, std::string detail, Json slots) {
  Outcome outcome;
  outcome.words = {"problem." + problem, std::move(slots)};
  outcome.problem = std::move(problem);
  outcome.detail = std::move(detail);
  return outcome;
}

Outcome failed(const Problem& problem) { return failed(problem.name, problem.detail); }

std::string_view Tool::name() const {
  return declaration().at("function").at("name").get_ref<const std::string&>();
}

const Json& Tool::parameters() const {
  static const Json none = {{"type", "object"}, {"properties", Json::object()}};
  const Json& function = declaration().at("function");
  const auto found = function.find("parameters");
  return found == function.end() ? none : *found;
}

std::string text_argument(const Json& arguments, const char* name) { return text_member(arguments, name); }

Json make_declaration(const char* name, const char* description, Json properties, Json required) {
  return {{"type", "function"},
          {"function",
           {{"name", name},
            {"description", description},
            {"parameters",
             {{"type", "object"},
              {"properties", std::move(properties)},
              {"required", std::move(required)},
              {"additionalProperties", false}}}}}};
}

std::shared_ptr<Tool> make_tool(Json declaration, CallFunction call, RiskFunction risk) {
  return std::make_shared<FunctionTool>(std::move(declaration), std::move(call), std::move(risk));
}

}  // namespace ink::assistant
