// Arrays and objects of runtime/grammar_schema.h, built from the end to the beginning. An object is a row of
// properties, each of which may be taken or, when it is not required, passed over; with limits on their
// number there is such a row for every count.
#include <algorithm>
#include <utility>

#include "base/utf8.h"
#include "runtime/grammar_schema.h"
#include "runtime/grammar_shape_keywords.h"

namespace ink {
namespace {

constexpr size_t kMaxCountedProperties = 256;
constexpr size_t kMaxExcludedNameBytes = 256;
constexpr size_t kMaxPrefixItems = 256;
constexpr uint32_t kWidestIndent = 40;

std::u32string code_points(std::string_view text) {
  std::u32string all;
  for (size_t at = 0; at < text.size();) {
    const Utf8Char character = decode_utf8(text, at);
    if (character.size_bytes == 0) break;  // names were checked
    all += character.code_point;
    at += static_cast<size_t>(character.size_bytes);
  }
  return all;
}

uint32_t less(uint32_t count, uint32_t by) {
  if (count == kNoLimit) return kNoLimit;
  return count > by ? count - by : 0;
}

}  // namespace

struct SchemaCompiler::ObjectParts {
  struct Property {
    std::string name;
    uint32_t rule = 0;
    bool required = false;
  };
  std::vector<Property> properties;
  bool open = false;
  uint32_t other = 0;  // the rule of a property without a declaration
  Counts counts;
};

// Where JSON may be broken into lines: nothing, a space, or a new line and its indent.
uint32_t SchemaCompiler::gap(uint32_t next) {
  if (layout_ == JsonLayout::kPython) return next;
  const uint32_t space = builder_.text(" ", builder_.done());
  const uint32_t line = builder_.text("\n", builder_.repeat(space, 0, kWidestIndent, next));
  return builder_.either(next, builder_.either(builder_.text(" ", next), line));
}

uint32_t SchemaCompiler::comma(uint32_t next) {
  if (layout_ == JsonLayout::kPython) return builder_.text(", ", next);
  return builder_.text(",", gap(next));
}

uint32_t SchemaCompiler::colon(uint32_t next) {
  if (layout_ == JsonLayout::kPython) return builder_.text(": ", next);
  return builder_.text(":", builder_.either(next, builder_.text(" ", next)));
}

Result<uint32_t> SchemaCompiler::build_array(const Shape& shape) {
  const size_t prefix = shape.prefix_size();
  if (prefix > kMaxPrefixItems)
    return Error{ErrorKind::kTooLarge, where_, "at most " + std::to_string(kMaxPrefixItems) + " prefixItems",
                 std::to_string(prefix), ""};
  Counts counts = shape.items;
  const Conjunction rest = shape.element(prefix);
  if (std::any_of(rest.begin(), rest.end(), [](const SchemaPlace& place) { return *place.schema == false; }))
    counts.most = std::min(counts.most, static_cast<uint32_t>(prefix));
  if (counts.least > counts.most) return builder_.nothing();
  if (shape.unique && counts.most > 1)
    return Error{ErrorKind::kUnsupported, shape.unique->where, "at most one item beside it", "true", ""};
  const uint32_t empty = builder_.text("]", builder_.done());
  const uint32_t close = gap(empty);
  const auto outside = std::exchange(at_this_value_, {});
  // From the end: what may follow when `written` elements are there; first those without a schema of their
  // own.
  auto written = static_cast<uint32_t>(std::min<size_t>(prefix, counts.most));
  uint32_t entry = close;
  if (counts.most > prefix) {
    const auto item = compile_value(rest);
    if (!item.ok()) return item;
    const uint32_t another = comma(builder_.call(*item, builder_.done()));
    const uint32_t first = std::max<uint32_t>(written, 1);
    entry = builder_.repeat(another, less(counts.least, first), less(counts.most, first), close);
    if (written == 0) entry = builder_.call(*item, entry);
  }
  for (; written > 0; --written) {
    const auto item = compile_value(shape.element(written - 1));
    if (!item.ok()) return item;
    entry = builder_.call(*item, entry);
    if (written == 1) break;
    entry = comma(entry);
    if (written - 1 >= counts.least) entry = builder_.either(close, entry);
  }
  at_this_value_ = outside;
  if (counts.most == 0) return builder_.text("[", empty);
  entry = gap(entry);
  return builder_.text("[", counts.least == 0 ? builder_.either(empty, entry) : entry);
}

Result<SchemaCompiler::ObjectParts> SchemaCompiler::read_object(const Shape& shape) {
  ObjectParts parts;
  parts.counts = shape.properties;
  parts.open = shape.is_open();
  const auto names = shape.names();
  const std::string& where = shape.members.empty() ? where_ : shape.members[0].where;
  if (names.size() > kMaxProperties) {
    return Error{ErrorKind::kTooLarge, where + ".properties", "at most " + std::to_string(kMaxProperties),
                 std::to_string(names.size()), ""};
  }
  // Of further keys one may come twice and count once.
  if (parts.open && parts.counts.least > std::max<size_t>(shape.required.size(), 1)) {
    return Error{ErrorKind::kUnsupported, shape.least_properties->where,
                 "at most 1, or as many as are required, beside further keys",
                 std::to_string(parts.counts.least), ""};
  }
  const auto outside = std::exchange(at_this_value_, {});
  for (const std::string& name : names) {
    const auto rule = compile_value(shape.member(name));
    if (!rule.ok()) return rule.error();
    parts.properties.push_back({name, *rule, shape.requires_name(name)});
  }
  if (parts.open) {
    Conjunction others;
    for (const Shape::Members& each : shape.members) {
      if (each.additional) others.push_back(*each.additional);
    }
    const auto value = compile_value(others);
    if (!value.ok()) return value.error();
    std::vector<std::u32string> excluded;
    for (const std::string& name : names) {
      if (name.size() > kMaxExcludedNameBytes)
        return Error{ErrorKind::kTooLarge, where + ".properties", "shorter names beside further keys",
                     "a longer one", ""};
      excluded.push_back(code_points(name));
    }
    std::sort(excluded.begin(), excluded.end());
    const uint32_t behind = builder_.text("\"", colon(builder_.call(*value, builder_.done())));
    parts.other = builder_.text("\"", other_key(excluded, 0, behind));
  }
  at_this_value_ = outside;
  return parts;
}

// The rest of a key that is none of the names (sorted), which are equal up to `at`.
uint32_t SchemaCompiler::other_key(const std::vector<std::u32string>& names, size_t at, uint32_t next) {
  const uint32_t any = builder_.repeat(characters_.rule(CodeSet::all(), Spelling::kJson), 0, kNoLimit, next);
  if (names.empty()) return any;
  CodeSet taken;
  uint32_t entry = names[0].size() > at ? next : builder_.nothing();
  for (size_t i = names[0].size() > at ? 0 : 1; i < names.size();) {
    const char32_t c = names[i][at];
    std::vector<std::u32string> alike;
    for (; i < names.size() && names[i][at] == c; ++i) alike.push_back(names[i]);
    taken |= CodeSet(c, c);
    const uint32_t behind = other_key(alike, at + 1, next);
    entry = builder_.either(entry, characters_.add(CodeSet(c, c), Spelling::kJson, behind));
  }
  return builder_.either(entry, characters_.add(~taken, Spelling::kJson, any));
}

Result<uint32_t> SchemaCompiler::build_object(const Shape& shape) {
  const auto parts = read_object(shape);
  if (!parts.ok()) return parts.error();
  if (parts->counts.least > parts->counts.most) return builder_.nothing();
  const size_t counted = parts->counts.most == kNoLimit ? parts->counts.least : parts->counts.most;
  if (counted > kMaxCountedProperties &&
      counted < std::max(parts->properties.size(), size_t{parts->open ? kNoLimit : 0})) {
    return Error{ErrorKind::kTooLarge, where_,
                 "at most " + std::to_string(kMaxCountedProperties) + " counted properties",
                 std::to_string(counted), ""};
  }
  const uint32_t empty = builder_.text("}", builder_.done());
  const uint32_t members = gap(build_members(*parts, gap(empty)));
  const bool may_be_empty = parts->counts.least == 0 && shape.required.empty();
  return builder_.text("{", may_be_empty ? builder_.either(empty, members) : members);
}

// The members of an object that has at least one. A row holds what may follow, by how many have been written;
// where no limit asks for the count, the row has one entry.
uint32_t SchemaCompiler::build_members(const ObjectParts& parts, uint32_t close) {
  const auto& all = parts.properties;
  const Counts& counts = parts.counts;
  const auto required = static_cast<size_t>(
      std::count_if(all.begin(), all.end(), [](const auto& property) { return property.required; }));
  const bool limited =
      counts.least > required || counts.most < all.size() || (parts.open && counts.most != kNoLimit);
  const size_t size = !limited ? 1 : size_t{counts.most == kNoLimit ? counts.least : counts.most} + 1;
  using Row = std::vector<uint32_t>;
  const uint32_t nothing = builder_.nothing();
  const auto more = [&](size_t count) { return !limited || counts.most == kNoLimit || count < counts.most; };
  Row pick(size, nothing);  // a member, when this many are written
  if (parts.open) {
    const uint32_t another = comma(builder_.call(parts.other, builder_.done()));
    for (size_t count = 0; count < size; ++count) {
      const auto written = static_cast<uint32_t>(count + 1);
      const uint32_t most = limited ? less(counts.most, written) : kNoLimit;
      if (more(count)) pick[count] = builder_.call(parts.other, builder_.repeat(another, 0, most, close));
    }
  }
  bool may_close = true;
  for (size_t i = all.size(); i > 0; --i) {
    const auto& property = all[i - 1];
    Row after(size, nothing);
    for (size_t count = 0; count < size; ++count) {
      if (pick[count] != nothing) after[count] = comma(pick[count]);
      if (may_close && (!limited || count >= counts.least))
        after[count] = builder_.either(close, after[count]);
    }
    Row taken(size, nothing);
    const std::string key = python_json(Json(property.name));
    for (size_t count = 0; count < size; ++count) {
      const uint32_t behind = after[std::min(count + 1, size - 1)];
      if (more(count) && behind != nothing)
        taken[count] = builder_.text(key, colon(builder_.call(property.rule, behind)));
      if (!property.required) taken[count] = builder_.either(taken[count], pick[count]);
    }
    pick = std::move(taken);
    may_close = may_close && !property.required;
  }
  return pick[0];
}

}  // namespace ink
