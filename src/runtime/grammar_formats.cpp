// See grammar_formats.h.
#include "runtime/grammar_formats.h"

#include <map>

namespace ink {
namespace {

std::string anchored(const std::string& pattern) { return "^(?:" + pattern + ")$"; }

// Years 0001 to 9999, months of their lengths, and the 29th of February of leap years.
const std::string kDate =
    "(?:(?:[1-9]\\d{3}|0[1-9]\\d\\d|00[1-9]\\d|000[1-9])-"
    "(?:(?:0[13578]|1[02])-(?:0[1-9]|[12]\\d|3[01])|(?:0[469]|11)-(?:0[1-9]|[12]\\d|30)|"
    "02-(?:0[1-9]|1\\d|2[0-8]))|"
    "(?:\\d\\d(?:0[48]|[2468][048]|[13579][26])|(?:0[48]|[2468][048]|[13579][26])00)-02-29)";
const std::string kTime =
    "(?:[01]\\d|2[0-3]):[0-5]\\d:[0-5]\\d(?:\\.\\d{1,6})?(?:Z|[+-](?:[01]\\d|2[0-3]):[0-5]\\d)";
// RFC 3339, appendix A.
const std::string kDuration =
    "P(?:\\d{1,9}W|(?:\\d{1,9}D|\\d{1,9}M(?:\\d{1,9}D)?|\\d{1,9}Y(?:\\d{1,9}M(?:\\d{1,9}D)?)?)"
    "(?:T(?:\\d{1,9}H(?:\\d{1,9}M(?:\\d{1,9}S)?)?|\\d{1,9}M(?:\\d{1,9}S)?|\\d{1,9}S))?|"
    "T(?:\\d{1,9}H(?:\\d{1,9}M(?:\\d{1,9}S)?)?|\\d{1,9}M(?:\\d{1,9}S)?|\\d{1,9}S))";
// Labels of at most 61 letters, digits and a hyphen between some (63 may be), names of at most 241 (253 may
// be). The last label begins with a letter, so that no name is an address. Counts are of single characters:
// those are quick to constrain, counts of groups are not.
const std::string kLabel = "[A-Za-z0-9]{1,30}(?:-[A-Za-z0-9]{1,30})?";
const std::string kLastLabel = "[A-Za-z][A-Za-z0-9]{0,23}(?:-[A-Za-z0-9]{1,30})?";
const std::string kHost = "(?:" + kLabel + "\\.){0,3}" + kLastLabel;
// At most 64 before the at sign.
const std::string kAtom = "[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]";
const std::string kEmail =
    kAtom + "{1,19}(?:\\." + kAtom + "{1,14}){0,3}@(?:" + kLabel + "\\.){1,3}" + kLastLabel;
const std::string kByte = "(?:25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)";
const std::string kIpv4 = kByte + "(?:\\." + kByte + "){3}";
// Eight groups, or fewer around one "::".
const std::string kIpv6 = [] {
  const std::string group = "[0-9A-Fa-f]{1,4}";
  std::string all = group + "(?::" + group + "){7}";
  for (int before = 0; before <= 6; ++before) {
    std::string one = before == 0 ? "" : group + "(?::" + group + "){" + std::to_string(before - 1) + "}";
    one += "::(?:" + group + "(?::" + group + "){0," + std::to_string(6 - before) + "})?";
    all += "|" + one;
  }
  return all;
}();
const std::string kPathCharacter = "(?:[A-Za-z0-9._~!$&'()*+,;=:@-]|%[0-9A-Fa-f]{2})";
// Registered names (RFC 3986, 3.2.2), not only those of hosts.
const std::string kUri = "[A-Za-z][A-Za-z0-9+.-]{0,20}://[A-Za-z0-9.-]+(?::\\d{1,4})?(?:/" + kPathCharacter +
                         "*)*(?:\\?(?:" + kPathCharacter + "|[/?])*)?(?:#(?:" + kPathCharacter + "|[/?])*)?";

const std::map<std::string_view, std::string>& patterns() {
  static const std::map<std::string_view, std::string> kPatterns = {
      {"date", anchored(kDate)},
      {"time", anchored(kTime)},
      {"date-time", anchored(kDate + "T" + kTime)},
      {"duration", anchored(kDuration)},
      {"email", anchored(kEmail)},
      {"hostname", anchored(kHost)},
      {"ipv4", anchored(kIpv4)},
      {"ipv6", anchored(kIpv6)},
      {"uri", anchored(kUri)},
      {"uuid", anchored("[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{12}")},
  };
  return kPatterns;
}

}  // namespace

std::string_view pattern_of_format(std::string_view format) {
  const auto found = patterns().find(format);
  return found == patterns().end() ? std::string_view() : std::string_view(found->second);
}

std::string known_formats() {
  std::string names;
  for (const auto& [name, pattern] : patterns()) names += (names.empty() ? "" : ", ") + std::string(name);
  return names;
}

}  // namespace ink
