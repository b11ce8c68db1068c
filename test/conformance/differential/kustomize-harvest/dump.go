// Copied by ./record into package krusty of kustomize's api module: writes what each build reads into a folder of its own.
package krusty

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync/atomic"

	"sigs.k8s.io/kustomize/api/types"
	"sigs.k8s.io/kustomize/kyaml/filesys"
)

var dumped atomic.Int64

// dump writes the files that a build may read, and how it is asked for, below $HARVEST_OUT.
func dump(options *Options, files filesys.FileSystem, path string) {
	out := os.Getenv("HARVEST_OUT")
	if out == "" {
		return
	}
	name := fmt.Sprintf("%s-%03d", runningTest(), dumped.Add(1))
	folder := filepath.Join(out, name)
	root, relative, err := rootOf(files, path)
	if err == nil {
		err = copyFiles(files, root, filepath.Join(folder, "input"))
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "left out %s: %v\n", name, err)
		os.RemoveAll(folder)
		return
	}
	about, _ := json.MarshalIndent(map[string]any{"feature": "harvest", "path": relative, "args": flags(options)}, "", "  ")
	os.MkdirAll(filepath.Join(folder, "input"), 0o755)
	os.WriteFile(filepath.Join(folder, "case.json"), append(about, '\n'), 0o644)
}

// runningTest is the name of the test function on the stack.
func runningTest() string {
	callers := make([]uintptr, 60)
	frames := runtime.CallersFrames(callers[:runtime.Callers(2, callers)])
	for {
		frame, more := frames.Next()
		if at := strings.LastIndex(frame.Function, ".Test"); at >= 0 {
			return strings.NewReplacer(".", "-", "/", "-").Replace(frame.Function[at+1:])
		}
		if !more {
			return "unknown"
		}
	}
}

// rootOf answers the folder to copy and the path of the build inside of it. In memory that is everything; on disk the
// folder below the temporary one, or below the package's.
func rootOf(files filesys.FileSystem, path string) (string, string, error) {
	if inMemory(files) {
		relative := strings.TrimPrefix(filepath.Clean(path), "/")
		if relative == "" {
			relative = "."
		}
		return "/", relative, nil
	}
	absolute, err := filepath.Abs(path)
	if err != nil {
		return "", "", err
	}
	root := absolute
	for parent := filepath.Dir(root); parent != os.TempDir() && filepath.Base(parent) != "krusty"; parent = filepath.Dir(root) {
		if root = parent; root == "/" {
			return "", "", fmt.Errorf("%s is neither temporary nor of the package", absolute)
		}
	}
	relative, err := filepath.Rel(root, absolute)
	return root, relative, err
}

func inMemory(files filesys.FileSystem) bool {
	return fmt.Sprintf("%T", files) == "*filesys.fsNode"
}

func copyFiles(files filesys.FileSystem, root, target string) error {
	return files.Walk(root, func(path string, info fs.FileInfo, err error) error {
		if err != nil || info.IsDir() {
			return err
		}
		relative := strings.TrimPrefix(path, "/")
		if !inMemory(files) {
			if relative, err = filepath.Rel(root, path); err != nil {
				return err
			}
		}
		file := filepath.Join(target, relative)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			return err
		}
		if info.Mode()&fs.ModeSymlink != 0 {
			link, err := os.Readlink(path)
			if err != nil {
				return err
			}
			return os.Symlink(link, file)
		}
		content, err := files.ReadFile(path)
		if err != nil {
			return err
		}
		return os.WriteFile(file, content, 0o644)
	})
}

// flags are those of `kustomize build` that ask for the options.
func flags(options *Options) []string {
	args := []string{}
	if options.LoadRestrictions == types.LoadRestrictionsNone {
		args = append(args, "--load-restrictor", "LoadRestrictionsNone")
	}
	if options.Reorder == ReorderOptionLegacy || options.Reorder == ReorderOptionNone {
		args = append(args, "--reorder", string(options.Reorder))
	}
	if options.AddManagedbyLabel {
		args = append(args, "--enable-managedby-label")
	}
	if config := options.PluginConfig; config != nil {
		if config.PluginRestrictions == types.PluginRestrictionsNone {
			args = append(args, "--enable-alpha-plugins")
		}
		if config.HelmConfig.Enabled {
			args = append(args, "--enable-helm")
		}
	}
	return args
}
