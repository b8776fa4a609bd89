package demo

import (
	"reflect"
	"testing"
)

func TestDoorsOfALetter(t *testing.T) {
	c := &openLetter{HTML: `<html><body>
		<a href="https://mail.example/c/abc?x=1&amp;y=2"><img src="https://shop.example/products/kids-03.svg" alt=""></a>
		<a href="http://mail.example/c/def">See <b>more</b></a>
		<a href="https://elsewhere.example/page">no door</a><img src="https://shop.example/products/kids-09.svg">
		<a href="javascript:/c/evil">no</a>
		<a href="https://mail.example/u/tok">Unsubscribe</a>
		<img src="https://mail.example/o/pix.gif" width=1 height=1></body></html>`}
	c.Headers = append(c.Headers, struct {
		Name  string `json:"name"`
		Value string `json:"value"`
	}{"list-unsubscribe", "<mailto:leave@mail.example>, <https://mail.example/u/tok>"})
	want := doors{
		pixel: "/o/pix.gif", unsubscribe: "/u/tok",
		links: []trackedLink{{"/c/abc?x=1&y=2", "https://shop.example/products/kids-03.svg"}, {path: "/c/def"}},
	}
	if got := readDoors(c); !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v\nwant %+v", got, want)
	}
	if got := readDoors(&openLetter{HTML: "<a href='http://x/c/1'"}); len(got.links) > 1 {
		t.Errorf("broken HTML gave %+v", got)
	}
}
