package engine_test

import (
	"context"
	"fmt"
	"testing"
	"time"
)

func TestAnEstimateOfAllIsExact(t *testing.T) {
	f := start(t, t.TempDir(), epoch, compile(t, map[string]string{"vip": `profile.vip == true`}, nil))
	defer f.close()
	const people = 300
	for i := range people {
		f.send(f.now(), track(fmt.Sprint("u", i), "Order", nil))
		if i%3 == 0 {
			f.send(f.now(), track(fmt.Sprint("u", i), "Order", nil))
		}
	}
	ctx := context.Background()
	const condition = `events("Order").count() == 2`
	all, err := f.Estimate(ctx, condition, 3, time.Minute)
	if err != nil || !all.Exact || all.Count != people/3 || all.Low != all.Count || all.High != all.Count || all.Total != people || all.Looked != people || len(all.IDs) != 3 {
		t.Errorf("of all: %+v, %v", all, err)
	}
	some, err := f.Estimate(ctx, condition, 3, 0)
	if err != nil || some.Exact || some.Looked != 256 || some.Low > people/3 || some.High < people/3 || some.Low >= some.High {
		t.Errorf("of one cluster: %+v, %v", some, err)
	}
	if _, err := f.Estimate(ctx, `nosuch(1)`, 3, 0); err == nil {
		t.Error("a wrong condition is estimated")
	}
	examples, kind, err := f.Examples(ctx, `events("Order").count()`, 5, time.Minute)
	if err != nil || kind != "int" || len(examples) != 5 || examples[0].Value != 2.0 && examples[0].Value != 1.0 {
		t.Errorf("examples: %+v, %s, %v", examples, kind, err)
	}
}
