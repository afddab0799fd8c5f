// See services/assistant/device/sum_tools.h.
#include "services/assistant/device/sum_tools.h"

#include "services/assistant/device/calculator.h"
#include "services/assistant/device/units.h"

namespace ink::assistant {
namespace {

Outcome calculate_expression(const Json& arguments, const CallContext&) {
  const Calculation calculation = calculate(arguments["expression"].get<std::string>());
  if (!calculation.problem.empty()) return failed(calculation.problem);
  return done(calculation.exact ? "calculate" : "calculate.about", {{"result", calculation.result}},
              {{"result", calculation.result}, {"exact", calculation.exact}});
}

Outcome convert_units(const Json& arguments, const CallContext&) {
  const auto value = arguments["value"].get<std::string>();
  const auto from = arguments["from"].get<std::string>();
  const auto to = arguments["to"].get<std::string>();
  const Conversion conversion = convert(value, from, to);
  if (!conversion.problem.empty()) return failed(conversion.problem);
  return done("convert_units", {{"value", value}, {"from", from}, {"result", conversion.result}, {"to", to}},
              {{"result", conversion.result}});
}

Json text(const char* description) {
  return {{"type", "string"}, {"minLength", 1}, {"description", description}};
}

Json units_declaration() {
  return make_declaration("convert_units", "Convert a value between units of measure.",
                          {{"value", text("A decimal number.")},
                           {"from", text("Unit of the value.")},
                           {"to", text("Unit wanted.")}},
                          {"value", "from", "to"});
}

}  // namespace

Tools sum_tools(const std::vector<Json>& catalogue) {
  Tools tools;
  add_declared(tools, catalogue, "calculate", calculate_expression);
  tools.push_back(make_tool(units_declaration(), convert_units));
  return tools;
}

}  // namespace ink::assistant
