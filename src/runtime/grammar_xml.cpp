// See grammar_xml.h.
#include "runtime/grammar_xml.h"

#include <algorithm>

#include "base/utf8.h"
#include "runtime/grammar_shape_keywords.h"
#include "runtime/grammar_values.h"
#include "text/parameter_types.h"

namespace ink {
namespace {

constexpr size_t kMaxTagNameBytes = 512;  // the reader takes up to 1024

Error not_written(const std::string& where, std::string wanted, std::string got) {
  return {ErrorKind::kUnsupported, where, std::move(wanted), std::move(got), ""};
}

Status check_tag_name(const std::string& name, const std::string& where) {
  if (!name.empty() && name.size() <= kMaxTagNameBytes && name.find_first_of("<>\n") == std::string::npos &&
      !find_invalid_utf8(name))
    return Done{};
  return not_written(where, "a name of at most 512 bytes without '<', '>' and new lines", shortened(name));
}

std::string open_tag(const std::string& name) { return "<parameter=" + name + ">\n"; }

// The types that the reader of calls sees in a declaration.
unsigned declared_types(const Json& parameters, const std::string& name) {
  unsigned types = 0;
  for (const std::string& type : parameter_types(parameters, name)) {
    Shape seen;
    const Json value = type;
    if (join_assertion(seen, "type", {&value, ""}).ok()) types |= seen.types;
  }
  return types;
}

class XmlCallBuilder {
 public:
  explicit XmlCallBuilder(GrammarBuilder& builder) : builder_(builder), schemas_(builder) {}

  Result<uint32_t> build(const std::string& name, const Json& parameters, const std::string& where,
                         uint32_t next) {
    parameters_ = &parameters;
    const auto shapes = schemas_.compile_shapes(parameters, where);
    if (!shapes.ok()) return shapes.error();
    const uint32_t close = builder_.text("</function>\n", next);
    uint32_t entry = builder_.nothing();
    for (const Shape& shape : *shapes) {
      if ((shape.types & kObjectType) == 0) continue;
      const auto one = add_parameters(shape, where, close);
      if (!one.ok()) return one;
      entry = builder_.either(entry, *one);
    }
    return builder_.text("\n<function=" + name + ">\n", entry);
  }

 private:
  Result<uint32_t> add_parameters(const Shape& shape, const std::string& where, uint32_t close) {
    const auto names = shape.names();
    if (names.size() > SchemaCompiler::kMaxProperties)
      return Error{ErrorKind::kTooLarge, where, "at most " + std::to_string(SchemaCompiler::kMaxProperties),
                   "more", ""};
    if (shape.values) return not_written(shape.values_place->where, "no values of whole objects", "some");
    if (shape.properties.least > shape.required.size() || shape.properties.most < names.size())
      return not_written(where, "no other number of properties than is required",
                         "minProperties or maxProperties");
    uint32_t entry = close;
    for (size_t i = names.size(); i > 0; --i) {
      const std::string& name = names[i - 1];
      const std::string place = where + ".properties." + name;
      if (auto status = check_tag_name(name, place); !status.ok()) return status.error();
      const auto value = add_value(name, shape.member(name), place, builder_.text("\n</parameter>\n", entry));
      if (!value.ok()) return value;
      const uint32_t with = builder_.text(open_tag(name), *value);
      entry = shape.requires_name(name) ? with : builder_.either(with, entry);
    }
    return entry;
  }

  Result<uint32_t> add_value(const std::string& name, const Conjunction& all, const std::string& where,
                             uint32_t next) {
    const unsigned declared = declared_types(*parameters_, name);
    const auto shapes = schemas_.shapes_of(all);
    if (!shapes.ok()) return shapes.error();
    if (declared != 0 && (declared & kStringType) == 0) {
      constexpr unsigned kNumbers = kIntegerType | kFractionType;
      const unsigned read = declared | ((declared & kNumbers) != 0 ? kNumbers : 0);
      for (const Shape& shape : *shapes) {
        if ((shape.types & ~read) != 0) return not_written(where, "types that \"type\" names", "others");
      }
      const auto rule = schemas_.compile_value(all);
      if (!rule.ok()) return rule;
      return builder_.call(*rule, next);
    }
    const bool null_is_text = (declared & kNullType) == 0;
    bool takes_null = false, takes_text = false;
    uint32_t entry = builder_.nothing();
    for (const Shape& shape : *shapes) {
      const auto one = add_raw(shape, null_is_text, next);
      if (!one.ok()) return one;
      entry = builder_.either(entry, *one);
      takes_text = takes_text || (shape.types & kStringType) != 0;
      takes_null = takes_null || (!null_is_text && (shape.types & kNullType) != 0);
    }
    // "null" is read as null wherever the declaration names that type.
    if (!takes_text && !takes_null)
      return not_written(where, "a \"type\" that the reader of calls finds, or a string", "neither");
    if (!takes_null && !null_is_text)
      return not_written(where, "no null beside texts that are never null", "both");
    return entry;
  }

  Result<uint32_t> add_raw(const Shape& shape, bool null_is_text, uint32_t next) {
    uint32_t entry = builder_.nothing();
    if (shape.values) {
      const auto values = schemas_.listed_values(shape);
      if (!values.ok()) return values.error();
      std::vector<std::string> texts;
      for (const Json& value : *values) {
        if (value.is_null() && !null_is_text) texts.emplace_back("null");
        if (value.is_string() && is_raw_text(value, null_is_text)) texts.push_back(value.get<std::string>());
      }
      return builder_.one_of(std::move(texts), next);
    }
    if ((shape.types & kNullType) != 0 && !null_is_text) entry = builder_.text("null", next);
    if ((shape.types & kStringType) == 0) return entry;
    const auto text = schemas_.add_string(shape, Spelling::kParameter, next);
    if (!text.ok()) return text;
    return builder_.either(entry, *text);
  }

  static bool is_raw_text(const Json& value, bool null_is_text) {
    const auto& text = value.get_ref<const std::string&>();
    return text.find("</") == std::string::npos && (null_is_text || (text != "null" && text != "None"));
  }

  GrammarBuilder& builder_;
  SchemaCompiler schemas_;
  const Json* parameters_ = nullptr;
};

}  // namespace

Result<uint32_t> add_xml_call(GrammarBuilder& builder, const std::string& name, const Json* parameters,
                              const std::string& where, uint32_t next) {
  if (auto status = check_tag_name(name, where); !status.ok()) return status.error();
  if (parameters == nullptr) return builder.text("\n<function=" + name + ">\n</function>\n", next);
  return XmlCallBuilder(builder).build(name, *parameters, where, next);
}

Result<uint32_t> add_lenient_xml_call(GrammarBuilder& builder, const std::string& name,
                                      const Json* parameters, const std::string& where, uint32_t next) {
  if (auto status = check_tag_name(name, where); !status.ok()) return status.error();
  uint32_t entry = builder.text("</function>\n", next);
  const Json* properties = parameters == nullptr ? nullptr : declared_properties(*parameters);
  if (properties != nullptr && properties->size() <= SchemaCompiler::kMaxProperties) {
    std::vector<std::string> names;
    for (const auto& item : properties->items()) names.push_back(item.key());
    for (size_t i = names.size(); i > 0; --i) {
      if (!check_tag_name(names[i - 1], where).ok()) continue;
      const uint32_t close = builder.text("\n</parameter>\n", entry);
      const uint32_t value = add_text_without(builder, {"</parameter>", "</function>"}, close);
      entry = builder.either(builder.text(open_tag(names[i - 1]), value), entry);
    }
  }
  return builder.text("\n<function=" + name + ">\n", entry);
}

}  // namespace ink
