// See cli/command.h.
#include "cli/command.h"

#include <CLI/CLI.hpp>
#include <charconv>
#include <cstdlib>

namespace ink::cli {
namespace {

// A number as short as it can be said: 0.5, 100, 2147483647.
std::string said(double value) {
  char text[40];
  std::snprintf(text, sizeof text, "%.10g", value);
  return text;
}

template <typename T>
std::optional<T> parse_whole(std::string_view text) {
  if (text.starts_with('+')) text.remove_prefix(1);
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// CLI11 reports what a callback throws; the program prints it as its one error line.
void refuse(const Error& error) {
  throw CLI::ValidationError(error.message(), CLI::ExitCodes::ValidationError);
}

CLI::Option* add(CLI::App& app, const std::string& names, const std::string& help, const char* type,
                 const std::function<void(const CLI::Option&, const std::string&)>& take) {
  // The option is not known before it is made, and its callback names it in errors.
  auto self = std::make_shared<CLI::Option*>(nullptr);
  CLI::Option* option = app.add_option(
      names,
      [self, take](const CLI::results_t& results) {
        for (const std::string& result : results) take(**self, result);
        return true;
      },
      help);
  *self = option;
  option->type_name(type)->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
  return option;
}

}  // namespace

std::string environment_name(const std::string& long_name) {
  std::string name = "INKSTONE_";
  for (const char c : long_name)
    name += c == '-' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return name;
}

Result<int64_t> parse_integer(const std::string& where, std::string_view text, int64_t least, int64_t most) {
  const auto value = parse_whole<int64_t>(text);
  if (value && *value >= least && *value <= most) return *value;
  const std::string range = most == INT64_MAX
                                ? "of at least " + std::to_string(least)
                                : "from " + std::to_string(least) + " to " + std::to_string(most);
  return Error{ErrorKind::kInvalid, where, "an integer " + range, "'" + std::string(text) + "'", ""};
}

Result<double> parse_real(const std::string& where, std::string_view text, double least, double most) {
  const auto value = parse_whole<double>(text);
  if (value && *value >= least && *value <= most) return *value;  // NaN is in no range
  return Error{ErrorKind::kInvalid, where, "a number from " + said(least) + " to " + said(most),
               "'" + std::string(text) + "'", ""};
}

Command::Command(CLI::App& program, const std::string& name, const std::string& description)
    : app_(program.add_subcommand(name, description)),
      environment_(std::make_shared<std::vector<CLI::Option*>>()) {}

CLI::Option* Command::text(const std::string& names, std::optional<std::string>& target,
                           const std::string& help, const char* type) {
  return add(*app_, names, help, type,
             [&target](const CLI::Option&, const std::string& value) { target = value; });
}

CLI::Option* Command::texts(const std::string& names, std::vector<std::string>& target,
                            const std::string& help, const char* type) {
  CLI::Option* option =
      add(*app_, names, help, type,
          [&target](const CLI::Option&, const std::string& value) { target.push_back(value); });
  return option->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
}

CLI::Option* Command::integer(const std::string& names, std::optional<int64_t>& target, int64_t least,
                              int64_t most, const std::string& help) {
  return add(*app_, names, help, "N",
             [&target, least, most](const CLI::Option& option, const std::string& value) {
               const auto number = parse_integer(option.get_name(), value, least, most);
               if (!number.ok()) refuse(number.error());
               target = *number;
             });
}

CLI::Option* Command::real(const std::string& names, std::optional<float>& target, double least, double most,
                           const std::string& help) {
  return add(*app_, names, help, "X",
             [&target, least, most](const CLI::Option& option, const std::string& value) {
               const auto number = parse_real(option.get_name(), value, least, most);
               if (!number.ok()) refuse(number.error());
               target = static_cast<float>(*number);
             });
}

CLI::Option* Command::choice(const std::string& names, std::optional<std::string>& target,
                             const std::vector<std::string>& choices, const std::string& help) {
  std::string listed;
  for (const auto& one : choices) listed += (listed.empty() ? "" : "|") + one;
  return add(*app_, names, help, "",
             [&target, choices, listed](const CLI::Option& option, const std::string& value) {
               if (std::find(choices.begin(), choices.end(), value) == choices.end())
                 refuse({ErrorKind::kInvalid, option.get_name(), listed, "'" + value + "'", ""});
               target = value;
             })
      ->type_name(listed);
}

CLI::Option* Command::toggle(const std::string& names, bool& target, const std::string& help) {
  return app_->add_flag(names, target, help);
}

void Command::require(CLI::Option* option) { option->required(); }

void Command::describe(const std::string& name, const std::string& help) {
  app_->get_option(name)->description(help);
}

void Command::from_environment(CLI::Option* option) { environment_->push_back(option); }

void Command::runs(Action& action, const Action& body) {
  app_->callback([this_app = *this, &action, body]() mutable {
    this_app.read_environment();
    action = body;
  });
}

// CLI11 would read the environment for every command, given or not; a bad value must only matter where it is
// used.
void Command::read_environment() {
  for (CLI::Option* option : *environment_) {
    const std::string name = environment_name(option->get_lnames().front());
    const char* value = std::getenv(name.c_str());
    if (option->count() > 0 || value == nullptr || *value == '\0') continue;
    try {
      option->add_result(value);
      option->run_callback();
    } catch (const CLI::ParseError& error) {
      throw CLI::ValidationError(name + ", for " + error.what(), CLI::ExitCodes::ValidationError);
    }
  }
}

}  // namespace ink::cli
