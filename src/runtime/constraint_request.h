// The pieces of a request that a "copied" string may be, as positions in the request's text written as the
// inside of a JSON string. A piece begins and ends between characters, is not empty, neither begins nor ends
// with white space, nor inside of a word of ASCII letters and digits. Bytes that are not UTF-8 belong to no
// piece.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace ink {

class RequestPieces {
 public:
  explicit RequestPieces(std::string_view request);

  const std::vector<uint32_t>& starts() const { return starts_; }
  bool any() const { return !starts_.empty(); }
  // The byte that continues a piece at this position so that it can still end well; -1: none.
  int next_byte(uint32_t position) const {
    return places_[position].goes_on ? static_cast<unsigned char>(escaped_[position]) : -1;
  }
  // Whether a piece that has reached this position may end here.
  bool may_end(uint32_t position) const { return places_[position].may_end; }

 private:
  struct Place {
    bool may_end = false;
    bool goes_on = false;
  };
  std::string escaped_;
  std::vector<Place> places_;  // one more than bytes in escaped_
  std::vector<uint32_t> starts_;
};

}  // namespace ink
