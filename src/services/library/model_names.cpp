// See services/library/model_names.h.
#include "services/library/model_names.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <vector>

#include "base/utf8.h"

namespace ink {
namespace {

constexpr size_t kMostNamesSaid = 20;

void drop_ending(std::string& text, std::string_view ending) {
  if (text.size() > ending.size() && text.ends_with(ending)) text.resize(text.size() - ending.size());
}

// A name in lower case and in its parts, as all the ways of writing it have them.
struct NameParts {
  std::string organisation;  // "qwen"; empty when none is given
  std::string model;         // "qwen3-0.6b-q8_0"
};

NameParts parts_of(const std::string& name) {
  std::string text = ascii_lower(name);
  drop_ending(text, ":latest");
  drop_ending(text, ".gguf");
  if (const size_t part = text.find("-00001-of-"); part != std::string::npos) text.erase(part);
  NameParts parts;
  const size_t first = text.find('/');
  if (first != std::string::npos) parts.organisation = text.substr(0, first);
  // Of organisation/repository/file the file says all.
  if (const size_t last = text.rfind('/'); last != std::string::npos) text.erase(0, last + 1);
  std::replace(text.begin(), text.end(), ':', '-');
  if (const size_t gguf = text.find("-gguf"); gguf != std::string::npos) text.erase(gguf, 5);
  parts.model = text;
  return parts;
}

// "-q8_0", "-iq4_xs", "-f16", "-awq", …: the same model with other numbers, which a name may leave out.
bool is_quantization(std::string_view rest) {
  if (rest.empty()) return true;
  if (rest[0] != '-' && rest[0] != '.') return false;
  rest.remove_prefix(1);
  if (rest.starts_with("ud-")) rest.remove_prefix(3);
  const auto digit_at = [&](size_t place) {
    return place < rest.size() && rest[place] >= '0' && rest[place] <= '9';
  };
  if (rest.starts_with('q')) return digit_at(1);
  if (rest.starts_with("iq")) return digit_at(2);
  constexpr std::array<std::string_view, 9> kKinds = {"f16", "f32",  "bf16", "fp16", "fp8",
                                                      "awq", "gptq", "int4", "int8"};
  return std::any_of(kKinds.begin(), kKinds.end(),
                     [&](std::string_view kind) { return rest.starts_with(kind); });
}

bool means(const NameParts& asked, const NameParts& model) {
  if (!asked.organisation.empty() && !model.organisation.empty() && asked.organisation != model.organisation)
    return false;
  return !asked.model.empty() && model.model.starts_with(asked.model) &&
         is_quantization(std::string_view(model.model).substr(asked.model.size()));
}

// "../x" and "/x" mean files to other programs; here nothing from the network does.
bool looks_like_path(const std::string& name) {
  return name.starts_with('/') || name.starts_with('.') || name.starts_with('~') ||
         name.find("..") != std::string::npos || name.find('\\') != std::string::npos ||
         name.find('\0') != std::string::npos;
}

std::string names_text(std::span<const FoundModel> models) {
  std::string text;
  for (size_t i = 0; i < std::min(models.size(), kMostNamesSaid); ++i)
    text += (i == 0 ? "" : ", ") + models[i].name;
  if (models.size() > kMostNamesSaid)
    text += " and " + std::to_string(models.size() - kMostNamesSaid) + " more";
  return text;
}

}  // namespace

bool same_model_name(const std::string& a, const std::string& b) { return ascii_lower(a) == ascii_lower(b); }

Result<FoundModel> match_model(std::span<const FoundModel> models, const std::string& name) {
  const std::string shown = "'" + name.substr(0, 200) + "'";
  for (const FoundModel& model : models) {
    if (same_model_name(model.name, name)) return model;
  }
  std::vector<FoundModel> meant;
  if (!looks_like_path(name)) {
    const NameParts asked = parts_of(name);
    const auto exactly = [&](const FoundModel& model) {
      return parts_of(model.name).model == asked.model && means(asked, parts_of(model.name));
    };
    // A whole name goes before one that leaves something out.
    std::copy_if(models.begin(), models.end(), std::back_inserter(meant), exactly);
    if (meant.empty())
      std::copy_if(models.begin(), models.end(), std::back_inserter(meant),
                   [&](const FoundModel& model) { return means(asked, parts_of(model.name)); });
  }
  if (meant.size() == 1) return meant.front();
  if (meant.size() > 1)
    return Error{ErrorKind::kNotFound, "model", "one of " + names_text(meant),
                 shown + ", which could be any of them", ""};
  return Error{ErrorKind::kNotFound, "model", "one of " + names_text(models), shown, ""};
}

}  // namespace ink
