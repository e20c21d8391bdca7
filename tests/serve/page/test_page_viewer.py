"""The viewer: what is drawn, read back from the canvas; window, zoom, overlays, keys, two panes, slices."""

import cv2
import numpy as np
import pytest

expect = pytest.importorskip("playwright.sync_api").expect

CENTER = (0.5, 0.5)


def corner(page, where, number=0):
    return page.locator(f'[data-pane="{number}"] .corner.{where}').inner_text()


def drag(page, dx, dy, *, start=CENTER, modifier=None, number=0):
    box = page.locator(".film").nth(number).bounding_box()
    x, y = box["x"] + start[0] * box["width"], box["y"] + start[1] * box["height"]
    if modifier:
        page.keyboard.down(modifier)
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + dx / 2, y + dy / 2)
    page.mouse.move(x + dx, y + dy)
    page.mouse.up()
    if modifier:
        page.keyboard.up(modifier)


@pytest.fixture
def plain(page, add, drawn):
    """A page that shows the phantom glioma without overlays."""
    add(page, "phantom_glioma.png")
    drawn(page)
    page.keyboard.press("h")
    page.keyboard.press("o")
    return page


def test_the_picture_is_drawn_as_it_was_saved(plain, film, scans):
    shown = film(plain).astype(int)
    picture = cv2.imread(str(scans["phantom_glioma.png"]), cv2.IMREAD_GRAYSCALE)
    side = min(shown.shape[:2])
    expected = cv2.resize(picture, (side, side), interpolation=cv2.INTER_LINEAR).astype(int)
    top, left = (shown.shape[0] - side) // 2, (shown.shape[1] - side) // 2
    inside = shown[top : top + side, left : left + side, 0]
    assert np.abs(inside - expected).mean() < 2
    assert (shown[..., 0] == shown[..., 1]).all()  # gray
    assert corner(plain, "bottom.left").split("\n")[-1] == "L 128 W 255"


def test_dragging_changes_window_and_level_and_the_pixels_with_them(plain, film):
    before = film(plain).astype(int)
    drag(plain, 0, -90)  # up: the level falls by 0.3 of the width
    brighter = film(plain).astype(int)
    assert corner(plain, "bottom.left").split("\n")[-1] == "L 51 W 255"
    inside = (before > 10) & (before < 150)
    assert np.abs((brighter - before)[inside] - 76.5).max() <= 2
    drag(plain, -150, 0)  # left: the width shrinks by exp(-0.5)
    assert corner(plain, "bottom.left").split("\n")[-1] == "L 51 W 155"
    plain.keyboard.press("r")
    assert np.abs(film(plain).astype(int) - before).max() == 0


def test_invert_is_the_negative_and_its_own_undoing(plain, film):
    before = film(plain).astype(int)
    plain.keyboard.press("i")
    after = film(plain).astype(int)
    head = before[..., 0] > 20
    assert np.abs(after[head] + before[head] - 255).max() <= 2
    assert "inverted" in corner(plain, "bottom.right")
    plain.keyboard.press("i")
    assert (film(plain) == before).all()


def test_the_keys_move_window_zoom_and_tools(plain):
    said = []
    for key in ("[", "}", "+", "w", "p"):
        plain.keyboard.press(key)
        said.append((corner(plain, "bottom.left").split("\n")[-1], corner(plain, "bottom.right")))
    assert said[0] == ("L 115 W 255", "100%")
    assert said[1] == ("L 115 W 281", "100%")
    assert said[2] == ("L 115 W 281", "125%")
    assert plain.get_by_label("Drag moves the picture").get_attribute("aria-pressed") == "true"
    plain.keyboard.press("0")
    assert corner(plain, "bottom.right") == "100%"


def test_no_key_moves_the_window_to_where_nothing_is_seen(plain, film):
    for key in ("[", "{"):
        for _ in range(60):
            plain.keyboard.press(key)
    assert corner(plain, "bottom.left").split("\n")[-1] == "L -382 W 5"
    plain.keyboard.press("r")
    assert corner(plain, "bottom.left").split("\n")[-1] == "L 128 W 255"


def test_a_refused_picture_is_shown_without_overlays(page, add, film):
    add(page, "noise.png")
    shown = film(page).astype(int)
    assert shown.max() > 200
    assert np.ptp(shown, axis=-1).max() == 0
    assert "without heatmap and outline: they would mean nothing" in " ".join(
        page.locator(".answer").inner_text().split()
    )


def test_ctrl_and_wheel_zoom_where_the_pointer_is(plain, film):
    box = plain.locator(".film").bounding_box()
    x, y = box["x"] + box["width"] * 0.6, box["y"] + box["height"] * 0.7
    plain.mouse.move(x, y)
    under = corner(plain, "bottom.left").split("\n")[0].split(":")[0]
    plain.keyboard.down("Control")
    plain.mouse.wheel(0, -300)
    plain.keyboard.up("Control")
    expect(plain.locator(".corner.bottom.right")).to_have_text("272%")
    plain.mouse.move(x + 1, y)
    plain.mouse.move(x, y)
    assert corner(plain, "bottom.left").split("\n")[0].split(":")[0] == under


def test_panning_moves_the_picture(plain, film):
    before = film(plain)
    drag(plain, 60, 0, modifier="Shift")
    moved = film(plain)
    assert (moved[:, 60:] == before[:, :-60]).mean() > 0.999
    drag(plain, -60, 0, start=(0.6, 0.6), modifier="Shift")
    assert np.abs(film(plain).astype(int) - before).max() <= 2


def test_place_and_value_under_the_pointer_are_those_of_the_file(page, add, drawn, scans):
    add(page, "deep.png")
    drawn(page)
    picture = cv2.imread(str(scans["deep.png"]), cv2.IMREAD_UNCHANGED)
    box = page.locator(".film").bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2 - 40)
    place, value = corner(page, "bottom.left").split("\n")[0].split(": ")
    x, y = (int(part.split()[1]) for part in place.split(", "))
    assert abs(int(value) - int(picture[y, x])) <= 1
    assert "16 bit" in corner(page, "top.left")


def test_the_heatmap_colors_the_lesion_and_fades_with_its_opacity(plain, film):
    gray = film(plain).astype(int)
    plain.keyboard.press("h")
    full = film(plain).astype(int)
    colored = np.abs(full[..., 0] - full[..., 2]) > 30
    assert 0.02 < colored.mean() < 0.2
    plain.get_by_label("Heatmap opacity in percent").fill("20")
    faint = film(plain).astype(int)
    change, less = np.abs(full - gray)[colored].mean(), np.abs(faint - gray)[colored].mean()
    assert less == pytest.approx(change / 2, rel=0.1)  # from 40% to 20%
    plain.keyboard.press("h")
    assert (film(plain) == gray).all()


def test_the_outline_runs_at_half_of_the_peak_of_the_heatmap(plain, film):
    gray = film(plain).astype(int)
    plain.keyboard.press("o")
    lined = film(plain).astype(int)
    plain.keyboard.press("o")
    plain.keyboard.press("h")
    plain.get_by_label("Heatmap opacity in percent").fill("100")
    heat = film(plain).astype(int)
    on_line = (lined[..., 1] - lined[..., 0] > 90) & (lined[..., 2] - lined[..., 0] > 80)
    assert on_line.sum() > 300
    mixed = np.abs(heat - gray).sum(axis=-1)
    assert mixed[on_line].mean() > 2 * mixed[gray[..., 0] > 20].mean()
    ys, xs = np.nonzero(on_line)
    inside = mixed[int(ys.mean()) - 5 : int(ys.mean()) + 5, int(xs.mean()) - 5 : int(xs.mean()) + 5]
    assert inside.mean() > mixed[on_line].mean()


def test_wheel_and_arrow_keys_go_from_scan_to_scan(page, add):
    add(page, "mni152_coronal_120.png", "phantom_glioma.png", "phantom_notumor.png")
    name = page.locator(".corner.top.left .name")

    def shows(title):
        page.locator(f'.corner.top.left .name[title="{title}"]').wait_for()

    box = page.locator(".film").bounding_box()
    page.mouse.move(box["x"] + 200, box["y"] + 200)
    page.mouse.wheel(0, 120)
    shows("phantom_glioma.png")
    page.keyboard.press("ArrowDown")
    shows("phantom_notumor.png")
    page.keyboard.press("ArrowDown")  # there is no further one
    shows("phantom_notumor.png")
    page.keyboard.press("k")
    page.keyboard.press("ArrowLeft")
    shows("mni152_coronal_120.png")
    assert name.get_attribute("title") == "mni152_coronal_120.png"


def test_two_panes_share_zoom_and_window_but_not_the_scan(page, add, film):
    add(page, "mni152_coronal_120.png", "mni152_coronal_120_mass_painted.png")
    page.keyboard.press("c")
    page.locator('[data-pane="1"] .corner').first.wait_for()
    titles = page.locator(".corner.top.left .name").evaluate_all("names => names.map(({ title }) => title)")
    assert titles == ["mni152_coronal_120.png", "mni152_coronal_120_mass_painted.png"]
    drag(page, 0, -60, number=1)
    page.keyboard.press("+")
    page.wait_for_timeout(100)
    for where in ("bottom.left", "bottom.right"):
        left, right = (corner(page, where, number).split("\n")[-1] for number in (0, 1))
        assert left == right
    assert corner(page, "bottom.right") == "125%"
    assert "Tumor likely" in page.locator(".answer").inner_text()
    page.keyboard.press("x")
    assert "No tumor seen" in page.locator(".answer").inner_text()
    assert not (film(page, 0) == film(page, 1)).all()
    page.keyboard.press("c")
    assert page.locator(".pane").count() == 1


def test_a_picture_of_several_sequences_has_a_slider_and_an_answer_for_each(page, add, film):
    add(page, "phantom_notumor.png")
    page.get_by_label("More").click()
    page.get_by_role("checkbox").check()
    page.keyboard.press("Escape")
    add(page, "three sequences.tif")
    page.keyboard.press("ArrowDown")
    slider = page.get_by_label("Slice of three sequences.tif")
    slider.fill("1")
    first = film(page)
    slider.fill("3")
    assert not (film(page) == first).all()
    assert "T1ce, 3 of 3" in corner(page, "top.left")
    page.locator(".film").focus()
    page.keyboard.press("ArrowLeft")
    expect(page.locator(".corner.top.left")).to_contain_text("FLAIR, 2 of 3")
    row, whole = page.locator(".list-row.chosen").inner_text(), page.locator(".whole").inner_text()
    assert all(f"{sequence}: " in row and sequence in whole for sequence in ("T1", "FLAIR", "T1ce"))
    assert "%" not in row


def test_a_chosen_slice_stays_while_others_are_read_and_over_a_look_at_another_page(page, add):
    add(page, "phantom_notumor.png")
    page.get_by_label("More").click()
    page.get_by_role("checkbox").check()
    page.keyboard.press("Escape")
    add(page, "three sequences.tif")
    page.keyboard.press("ArrowDown")
    said = corner(page, "top.left")
    other = next(number for number in (1, 2, 3) if f", {number} of 3" not in said)
    page.get_by_label("Slice of three sequences.tif").fill(str(other))
    expect(page.locator(".corner.top.left")).to_contain_text(f", {other} of 3")
    add(page, "phantom_glioma.png")
    page.get_by_role("link", name="Model", exact=True).click()
    page.locator(".tile").first.wait_for()
    page.go_back()
    expect(page.locator(".corner.top.left")).to_contain_text(f", {other} of 3")


def test_on_a_phone_the_way_back_leads_from_the_scan_to_the_list(visit, add):
    with visit(size=(390, 844), has_touch=True, is_mobile=True) as page:
        add(page, "phantom_glioma.png", "phantom_notumor.png")
        page.locator(".row-main").nth(1).tap()
        page.locator(".viewer").wait_for()
        page.get_by_role("link", name="Model", exact=True).tap()
        page.locator(".tile").first.wait_for()
        page.go_back()
        page.locator(".viewer").wait_for()
        page.go_back()
        page.locator(".list").wait_for()
        page.locator(".row-main").first.tap()
        page.get_by_label("Back to the list").tap()
        page.locator(".list").wait_for()
        assert page.evaluate("history.state") is None
        page.locator(".row-main").first.tap()
        page.locator(".viewer").wait_for()
        page.go_back()
        page.locator(".list").wait_for()


def test_two_fingers_zoom(visit, add, drawn, scans):
    with visit(size=(390, 844), has_touch=True, is_mobile=True) as page:
        add(page, "phantom_glioma.png")
        page.locator(".row-main").tap()
        drawn(page)
        box = page.locator(".film").bounding_box()
        x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
        session = page.context.new_cdp_session(page)

        def touch(kind, *reach):
            points = [{"x": x + way, "y": y, "id": at} for at, way in enumerate((-reach[0], reach[0]) if reach else ())]
            session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

        touch("touchStart", 40)
        for reach in (50, 60, 70, 80):
            touch("touchMove", reach)
        touch("touchEnd")
        page.wait_for_timeout(150)
        assert 170 <= int(corner(page, "bottom.right").rstrip("%")) <= 230


def test_help_lists_the_keys_and_escape_goes_back(page, add):
    add(page, "phantom_glioma.png")
    page.keyboard.press("?")
    dialog = page.get_by_role("dialog", name="Keys and mouse")
    said = dialog.inner_text()
    assert "Invert black and white" in said
    assert "Search by name" in said
    page.keyboard.press("i")  # not meant for the picture while the list is open
    page.keyboard.press("Escape")
    dialog.wait_for(state="detached")
    assert "inverted" not in corner(page, "bottom.right")
