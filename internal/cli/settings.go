package cli

import (
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
	"github.com/goccy/go-yaml"
)

const maxSettingsFile = 1 << 20 // bytes

// settingsFile reads a config file: a YAML object whose members are flags, "public_url: https://…". Only flags that have a
// variable too are settings; anything else in the file is a mistake that is named.
func settingsFile(r io.Reader) (kong.Resolver, error) {
	text, err := io.ReadAll(io.LimitReader(r, maxSettingsFile))
	if err != nil {
		return nil, err
	}
	values := settings{}
	if err := yaml.Unmarshal(text, &values); err != nil {
		return nil, fmt.Errorf("is not a YAML object: %w", err)
	}
	return values, nil
}

type settings map[string]any

func settingName(flag *kong.Flag) string { return strings.ReplaceAll(flag.Name, "-", "_") }

// Validate names members that no command knows.
func (s settings) Validate(app *kong.Application) error {
	known := map[string]bool{}
	_ = kong.Visit(app, func(node kong.Visitable, next kong.Next) error {
		if flag, is := node.(*kong.Flag); is && len(flag.Envs) > 0 {
			known[settingName(flag)] = true
		}
		return next(nil)
	})
	var unknown []string
	for name := range s {
		if !known[name] {
			unknown = append(unknown, name)
		}
	}
	if len(unknown) > 0 {
		slices.Sort(unknown)
		return fmt.Errorf("config file: unknown setting %s", strings.Join(unknown, ", "))
	}
	return nil
}

// unknownVariables finds the TAILORBIRD_* variables of an environment that set nothing, most likely misspelt ones.
func unknownVariables(app *kong.Application, environment []string) []string {
	known := map[string]bool{}
	_ = kong.Visit(app, func(node kong.Visitable, next kong.Next) error {
		if flag, is := node.(*kong.Flag); is {
			for _, variable := range flag.Envs {
				known[variable] = true
			}
		}
		return next(nil)
	})
	var unknown []string
	for _, setting := range environment {
		if name, _, _ := strings.Cut(setting, "="); strings.HasPrefix(name, "TAILORBIRD_") && !known[name] {
			unknown = append(unknown, name)
		}
	}
	slices.Sort(unknown)
	return unknown
}

// Resolve gives the value of a flag, unless a variable has set it: variables come before the file.
func (s settings) Resolve(_ *kong.Context, _ *kong.Path, flag *kong.Flag) (any, error) {
	if len(flag.Envs) == 0 {
		return nil, nil
	}
	for _, variable := range flag.Envs {
		if _, set := os.LookupEnv(variable); set {
			return nil, nil
		}
	}
	if value := s[settingName(flag)]; value != nil {
		return fmt.Sprint(value), nil
	}
	return nil, nil
}
