/// The words nicknames are made of: one for each value of a byte, in rows of 3, 4, 5, 6 and 7 letters.
///
/// Threading: constants.
#pragma once

#include <array>
#include <string_view>

namespace sinew::firmware {

// clang-format off
inline constexpr std::array<std::string_view, 256> nickname_words{
    "ant", "acre", "acorn", "almond", "almanac",
    "bay", "arch", "amber", "anchor", "apricot",
    "bee", "aunt", "apple", "autumn", "avocado",
    "bud", "bark", "badge", "badger", "balloon",
    "cab", "beam", "basil", "bamboo", "battery",
    "cod", "bell", "beach", "barley", "beehive",
    "cot", "bird", "birch", "basket", "biscuit",
    "cup", "boat", "bison", "beaver", "bonfire",
    "dew", "bolt", "brook", "breeze", "bramble",
    "doe", "bowl", "cabin", "bridge", "buffalo",
    "elk", "cave", "cedar", "bronze", "cabbage",
    "elm", "clay", "chime", "button", "captain",
    "fig", "coal", "clove", "candle", "caravan",
    "fin", "coin", "cloud", "canoes", "cascade",
    "fir", "cone", "cocoa", "canyon", "chamber",
    "fox", "cork", "coral", "carrot", "chimney",
    "gem", "crab", "crane", "castle", "cottage",
    "gum", "crow", "creek", "cactus", "country",
    "hay", "dawn", "delta", "cherry", "crystal",
    "hen", "deer", "eagle", "cobalt", "dolphin",
    "hut", "dock", "ember", "coffee", "emerald",
    "ice", "dove", "fable", "copper", "factory",
    "ink", "drum", "field", "cotton", "feather",
    "ivy", "duck", "finch", "cougar", "gallery",
    "jam", "dune", "flame", "cradle", "gazelle",
    "jar", "fawn", "flint", "damson", "granite",
    "jay", "fern", "flora", "dragon", "hammock",
    "jet", "fish", "forge", "falcon", "harvest",
    "keg", "flax", "fruit", "feeder", "heather",
    "kit", "foam", "glade", "fennel", "horizon",
    "lid", "frog", "globe", "forest", "jasmine",
    "log", "gate", "grain", "garden", "journey",
    "map", "goat", "grape", "garlic", "juniper",
    "mug", "gold", "grove", "ginger", "kestrel",
    "nut", "hare", "heron", "harbor", "lantern",
    "oak", "hawk", "honey", "hazels", "lattice",
    "oar", "herb", "house", "helmet", "leopard",
    "owl", "hill", "ivory", "hollow", "library",
    "pad", "horn", "jelly", "island", "lobster",
    "pan", "iris", "kayak", "jacket", "magpies",
    "paw", "iron", "lemon", "jasper", "mansion",
    "pea", "kelp", "lilac", "jungle", "mercury",
    "pen", "kite", "linen", "kettle", "morning",
    "pie", "lake", "llama", "ladder", "mustard",
    "pod", "lamb", "lotus", "lagoon", "nettles",
    "ram", "lark", "maple", "laurel", "octopus",
    "ray", "leaf", "marsh", "lizard", "orchard",
    "rye", "lily", "melon", "magnet", "orchids",
    "sea", "loom", "mocha", "mallet", "ostrich",
    "sky", "lynx", "moose", "marble", "panther",
    "sun", "mint", "olive", "meadow", "parsley",
    "yak",
};
// clang-format on

} // namespace sinew::firmware
