package generator

import (
	"strconv"
	"strings"
)

// weighted reads a word list into its words and their weights.
func weighted(list string) (words []string, weights []int) {
	for entry := range strings.SplitSeq(list, ";") {
		word, weight, found := strings.Cut(entry, "|")
		n := 1
		if found {
			n, _ = strconv.Atoi(weight)
		}
		words, weights = append(words, word), append(weights, n)
	}
	return words, weights
}

// wordsOf reads a word list whose weights do not matter.
func wordsOf(list string) []string {
	words, _ := weighted(list)
	return words
}

// combine gives every combination of the lists' words, the last list varying fastest.
func combine(lists ...string) []string {
	out := wordsOf(lists[0])
	for _, list := range lists[1:] {
		var longer []string
		for _, head := range out {
			for _, tail := range wordsOf(list) {
				longer = append(longer, head+" "+tail)
			}
		}
		out = longer
	}
	return out
}

// lottery holds an entry's number as many times as the entry weighs: a draw below its length is an entry.
func lottery(weights []int) []uint8 {
	var tickets []uint8
	for entry, weight := range weights {
		for range weight {
			tickets = append(tickets, uint8(entry))
		}
	}
	return tickets
}
