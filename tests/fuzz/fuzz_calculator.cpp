// Expressions and units from any bytes: a problem by its name or a number. Adding nothing to it and taking it
// twice from itself change nothing. Input: an expression, and after a line break each a value, two units.
#include <array>
#include <cstdint>
#include <cstdlib>

#include "services/assistant/device/calculator.h"
#include "services/assistant/device/units.h"

namespace {

using namespace ink::assistant;

void require(bool condition) {
  if (!condition) std::abort();
}

std::string first_line(std::string_view& text) {
  const size_t end = std::min(text.find('\n'), text.size());
  std::string line(text.substr(0, end));
  text.remove_prefix(std::min(end + 1, text.size()));
  return line;
}

bool is_number(const std::string& text) {
  return !text.empty() && text.find_first_not_of("0123456789.e+-") == std::string::npos;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view text(reinterpret_cast<const char*>(data), size);
  const std::string expression = first_line(text);
  const Calculation calculation = calculate(expression);
  require(calculation.problem.empty() == is_number(calculation.result));
  if (calculation.problem.empty()) {
    const Calculation bracketed = calculate("(" + expression + ")+0");
    require(!bracketed.problem.empty() || bracketed.result == calculation.result);
    if (calculation.exact && calculation.result.find('e') == std::string::npos) {
      const Calculation again = calculate(calculation.result);
      require(again.problem.empty() && again.result == calculation.result);
    }
  }
  const std::string value = first_line(text), from = first_line(text), to = first_line(text);
  const Conversion conversion = convert(value, from, to);
  require(conversion.problem.empty() == is_number(conversion.result));
  return 0;
}
