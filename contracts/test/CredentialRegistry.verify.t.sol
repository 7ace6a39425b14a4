// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {SCOPE_ANCHOR, SCOPE_STATUS} from "../src/interfaces/ICredentialRegistry.sol";
import {IRegistryErrors} from "../src/interfaces/IRegistryErrors.sol";
import {StatusWords} from "../src/libraries/StatusWords.sol";
import {vm} from "./Vm.sol";
import {Admission} from "./support/Admission.sol";
import {RegistryTest} from "./support/RegistryTest.sol";
import {Slots} from "./support/Slots.sol";
import {Credential, Trees} from "./support/Trees.sol";

contract VerifyTest is RegistryTest {
    using Trees for Credential;

    uint32 private constant _SIZE = 5;
    uint40 private constant _ANCHORED_AT = START + 10;

    bytes32[] private _leaves;
    bytes32 private _root;

    /// A batch of five was anchored at START + 10; now it is START + 20.
    function setUp() public override {
        super.setUp();
        for (uint32 i = 0; i < _SIZE; ++i) {
            _leaves.push(_credential(i).leafOf());
        }
        _root = Trees.rootOf(_leaves);
        vm.warp(_ANCHORED_AT);
        _anchor(anchorKey, ISSUER, _root, _SIZE);
        vm.warp(START + 20);
    }

    /* ALL IS WELL */

    function test_verify_returnsTheTimeOfAnchoring() public view {
        for (uint32 i = 0; i < _SIZE; ++i) {
            vm.assertEq(_verify(i), _ANCHORED_AT);
        }
    }

    function test_fuzz_verify_ofAnyBatch(uint8 size, uint32 index, bytes32 salt, uint32 list, uint32 statusIndex)
        public
    {
        vm.assume(size != 0);
        index %= size;
        Credential memory credential = Credential(salt, list, statusIndex % 131_072, ROOT);
        bytes32[] memory leaves = new bytes32[](size);
        for (uint256 i = 0; i < size; ++i) {
            leaves[i] = i == index ? credential.leafOf() : keccak256(abi.encode(salt, i));
        }
        bytes32 root = Trees.rootOf(leaves);
        _anchor(anchorKey, ISSUER, root, size);
        vm.assertEq(_verify(ISSUER, root, credential, index, Trees.pathOf(leaves, index)), START + 20);
    }

    /// What came after the anchoring and does not concern it.
    function test_verify_goesOnAfterwards() public {
        _compromiseKey(controller, anchorKey, _ANCHORED_AT + 1);
        _withdraw(ISSUER, START + 21);
        vm.prank(statusKey);
        registry.revoke(ISSUER, 4, _words(0), _masks(type(uint256).max ^ 4), 1);
        vm.prank(statusKey);
        registry.suspend(ISSUER, 5, _words(0), _masks(4), 1);
        vm.warp(START + 30);
        vm.assertEq(_verify(2), _ANCHORED_AT);
        _audit();
    }

    function test_verify_goesOnAfterItsKeyRetired() public {
        _retireKey(controller, anchorKey);
        vm.warp(START + 30);
        vm.assertEq(_verify(2), _ANCHORED_AT);
    }

    function test_verify_againAfterReanchoring() public {
        _compromiseKey(controller, anchorKey, START);
        _addKey(controller, _consent(ISSUER, newKey, SCOPE_ANCHOR, 0), NEW_PK);
        _anchor(newKey, ISSUER, _root, _SIZE);
        vm.assertEq(_verify(2), START + 20);
    }

    function test_verify_againAfterReinstatement() public {
        _setStatus(false, 2);
        vm.prank(statusKey);
        registry.reinstate(ISSUER, 4, _words(0), _masks(4), 1);
        vm.assertEq(_verify(2), _ANCHORED_AT);
    }

    /// A thief's revocations, of batch and credential, end with his epoch.
    function test_verify_againAfterEpochChange() public {
        _setStatus(true, 2);
        _setStatus(false, 2);
        vm.prank(statusKey);
        registry.revokeBatch(ISSUER, _root, 1);
        _compromiseKey(controller, statusKey, START);
        vm.assertEq(_verify(2), _ANCHORED_AT);
    }

    /* EACH REFUSAL */

    function test_verify_revertsWithUnknownIssuer() public {
        uint32[3] memory unknown = [uint32(0), 3, type(uint32).max];
        for (uint256 i = 0; i < unknown.length; ++i) {
            _refuses(
                abi.encodeWithSelector(IRegistryErrors.UnknownIssuer.selector, unknown[i]),
                unknown[i],
                _root,
                _credential(2),
                2,
                Trees.pathOf(_leaves, 2)
            );
        }
    }

    function test_verify_revertsWithNotAnchored() public {
        _refuses(
            abi.encodeWithSelector(IRegistryErrors.NotAnchored.selector, ISSUER, ROOT),
            ISSUER,
            ROOT,
            _credential(2),
            2,
            Trees.pathOf(_leaves, 2)
        );
        _refuses(
            abi.encodeWithSelector(IRegistryErrors.NotAnchored.selector, OTHER_ISSUER, _root),
            OTHER_ISSUER,
            _root,
            _credential(2),
            2,
            Trees.pathOf(_leaves, 2)
        );
    }

    function test_verify_revertsWithNotIncludedOfAnotherCredential() public {
        bytes32[] memory path = Trees.pathOf(_leaves, 2);
        for (uint256 i = 0; i < 4; ++i) {
            Credential memory other = _credential(2);
            if (i == 0) other.salt = bytes32(uint256(1));
            else if (i == 1) other.list += 1;
            else if (i == 2) other.statusIndex += 1;
            else other.credentialHash = bytes32(uint256(1));
            _refuses(_notIncluded(other), ISSUER, _root, other, 2, path);
        }
    }

    function test_verify_revertsWithNotIncludedOfAnotherPlaceOrPath() public {
        for (uint32 index = 0; index < 2 * _SIZE; ++index) {
            if (index == 2) continue;
            _refuses(_notIncluded(_credential(2)), ISSUER, _root, _credential(2), index, Trees.pathOf(_leaves, 2));
            if (index >= _SIZE) continue;
            _refuses(_notIncluded(_credential(2)), ISSUER, _root, _credential(2), 2, Trees.pathOf(_leaves, index));
        }
        _refuses(_notIncluded(_credential(2)), ISSUER, _root, _credential(2), 2, new bytes32[](0));
    }

    /// The tree's size is the one that was anchored.
    function test_verify_revertsWithNotIncludedOfAnotherSize() public {
        bytes32[] memory leaves = new bytes32[](1);
        leaves[0] = _credential(7).leafOf();
        _anchor(anchorKey, ISSUER, leaves[0], 2);
        _refuses(_notIncluded(leaves[0], _credential(7)), ISSUER, leaves[0], _credential(7), 0, new bytes32[](0));
    }

    /// A batch by its bare root does not say how deep its leaves lie.
    function test_verify_revertsWithNotIncludedOfSizeNotStated() public {
        bytes32 leaf = _credential(7).leafOf();
        vm.prank(anchorKey);
        (bool ok,) = address(registry).call(abi.encodePacked(leaf));
        vm.assertTrue(ok);
        _refuses(_notIncluded(leaf, _credential(7)), ISSUER, leaf, _credential(7), 0, new bytes32[](0));
    }

    function test_fuzz_verify_revertsWithKeyCutOff(uint8 since) public {
        uint40 cutOff = START + since % 21;
        _compromiseKey(controller, anchorKey, cutOff);
        bytes memory error = abi.encodeWithSelector(IRegistryErrors.KeyCutOff.selector, anchorKey, cutOff);
        if (cutOff <= _ANCHORED_AT) _refuses(error, 2);
        else vm.assertEq(_verify(2), _ANCHORED_AT);
    }

    /// The contract lets nobody anchor then, nor withdraw into the past: if it did, this would still be found.
    function test_verify_revertsWithIssuerWithdrawn() public {
        for (uint40 end = _ANCHORED_AT - 1; end <= _ANCHORED_AT + 1; ++end) {
            Slots.setWithdrawnAt(address(registry), ISSUER, end);
            bytes memory error = abi.encodeWithSelector(IRegistryErrors.IssuerWithdrawn.selector, ISSUER, end);
            if (end <= _ANCHORED_AT) _refuses(error, 2);
            else vm.assertEq(_verify(2), _ANCHORED_AT);
        }
    }

    function test_verify_revertsWithBatchIsRevoked() public {
        vm.prank(statusKey);
        registry.revokeBatch(ISSUER, _root, 6);
        for (uint32 i = 0; i < _SIZE; ++i) {
            _refuses(abi.encodeWithSelector(IRegistryErrors.BatchIsRevoked.selector, ISSUER, _root, 6), i);
        }
    }

    /// By the key of the next epoch: at once, and when that has come.
    function test_verify_revertsWithBatchIsRevokedByStagedKey() public {
        _addKey(controller, _consent(ISSUER, newKey, SCOPE_STATUS, 1), NEW_PK);
        vm.prank(newKey);
        registry.revokeBatch(ISSUER, _root, 2);
        _refuses(abi.encodeWithSelector(IRegistryErrors.BatchIsRevoked.selector, ISSUER, _root, 2), 2);
        _compromiseKey(controller, statusKey, START);
        _refuses(abi.encodeWithSelector(IRegistryErrors.BatchIsRevoked.selector, ISSUER, _root, 2), 2);
    }

    function test_verify_revertsWithCredentialRevoked() public {
        _setStatus(true, 2);
        for (uint32 i = 0; i < _SIZE; ++i) {
            bytes memory error = abi.encodeWithSelector(IRegistryErrors.CredentialRevoked.selector, ISSUER, 4, 2);
            if (i == 2) _refuses(error, i);
            else vm.assertEq(_verify(i), _ANCHORED_AT);
        }
    }

    function test_verify_revertsWithCredentialSuspended() public {
        _setStatus(false, 2);
        for (uint32 i = 0; i < _SIZE; ++i) {
            bytes memory error = abi.encodeWithSelector(IRegistryErrors.CredentialSuspended.selector, ISSUER, 4, 2);
            if (i == 2) _refuses(error, i);
            else vm.assertEq(_verify(i), _ANCHORED_AT);
        }
    }

    /// Staged bits count when their epoch has come.
    function test_verify_revertsWithCredentialRevokedOnceTheEpochIsCurrent() public {
        _addKey(controller, _consent(ISSUER, newKey, SCOPE_STATUS, 1), NEW_PK);
        vm.prank(newKey);
        registry.revoke(ISSUER, 4, _words(0), _masks(4), 1);
        vm.assertEq(_verify(2), _ANCHORED_AT);
        _compromiseKey(controller, statusKey, START);
        _refuses(abi.encodeWithSelector(IRegistryErrors.CredentialRevoked.selector, ISSUER, 4, 2), 2);
    }

    /// A position that no list has: its status is not "not revoked".
    function test_verify_revertsWithStatusIndexOutOfRange() public {
        Credential memory credential = Credential(bytes32(0), 4, 131_072, ROOT);
        bytes32 leaf = credential.leafOf();
        _anchor(anchorKey, ISSUER, leaf, 1);
        _refuses(
            abi.encodeWithSelector(StatusWords.StatusIndexOutOfRange.selector, 131_072),
            ISSUER,
            leaf,
            credential,
            0,
            new bytes32[](0)
        );
    }

    /* ORDER */

    /// One fault after the other is added, the earlier in the order the later: the first in the order is named.
    function test_verify_namesTheFirstOfSeveral() public {
        bytes32[] memory path = Trees.pathOf(_leaves, 2);
        _setStatus(false, 2);
        _setStatus(true, 2);
        _refuses(abi.encodeWithSelector(IRegistryErrors.CredentialRevoked.selector, ISSUER, 4, 2), 2);
        vm.prank(statusKey);
        registry.revokeBatch(ISSUER, _root, 6);
        _refuses(abi.encodeWithSelector(IRegistryErrors.BatchIsRevoked.selector, ISSUER, _root, 6), 2);
        Slots.setWithdrawnAt(address(registry), ISSUER, START);
        _refuses(abi.encodeWithSelector(IRegistryErrors.IssuerWithdrawn.selector, ISSUER, START), 2);
        _compromiseKey(controller, anchorKey, START + 5);
        _refuses(abi.encodeWithSelector(IRegistryErrors.KeyCutOff.selector, anchorKey, START + 5), 2);
        _refuses(_notIncluded(_credential(2)), ISSUER, _root, _credential(2), 3, path);
        _refuses(
            abi.encodeWithSelector(IRegistryErrors.NotAnchored.selector, ISSUER, ROOT),
            ISSUER,
            ROOT,
            _credential(2),
            3,
            path
        );
        _refuses(abi.encodeWithSelector(IRegistryErrors.UnknownIssuer.selector, 3), 3, ROOT, _credential(2), 3, path);
    }

    /* FOR OTHER CONTRACTS */

    function test_verify_letsAnotherContractRelyOnIt() public {
        Admission admission = new Admission(registry, ISSUER);
        Credential memory credential = _credential(2);
        admission.admit(_root, credential, 2, Trees.pathOf(_leaves, 2));
        vm.assertTrue(admission.admitted(credential.credentialHash));
    }

    function test_verify_stopsAnotherContractThatReliesOnIt() public {
        Admission admission = new Admission(registry, ISSUER);
        Credential memory credential = _credential(2);
        _setStatus(true, 2);
        bytes32[] memory path = Trees.pathOf(_leaves, 2);
        vm.expectRevert(abi.encodeWithSelector(IRegistryErrors.CredentialRevoked.selector, ISSUER, 4, 2));
        admission.admit(_root, credential, 2, path);
        vm.assertFalse(admission.admitted(credential.credentialHash));
    }

    /* ISINCLUDED */

    function test_isIncluded_isArithmeticAlone() public view {
        bytes32[] memory path = Trees.pathOf(_leaves, 2);
        vm.assertTrue(registry.isIncluded(_root, _leaves[2], 2, _SIZE, path));
        vm.assertFalse(registry.isIncluded(_root, _leaves[2], 3, _SIZE, path));
        vm.assertFalse(registry.isIncluded(_root, _leaves[3], 2, _SIZE, path));
        vm.assertFalse(registry.isIncluded(_root, _leaves[2], 2, _SIZE + 4, path));
        vm.assertFalse(registry.isIncluded(ROOT, _leaves[2], 2, _SIZE, path));
        // Nobody anchored this one.
        vm.assertTrue(registry.isIncluded(ROOT, ROOT, 0, 1, new bytes32[](0)));
    }

    function _credential(uint32 index) private pure returns (Credential memory) {
        return Credential({
            salt: keccak256(abi.encode("salt", index)),
            list: 4,
            statusIndex: index,
            credentialHash: keccak256(abi.encode("credential", index))
        });
    }

    function _verify(uint32 index) private view returns (uint40) {
        return _verify(ISSUER, _root, _credential(index), index, Trees.pathOf(_leaves, index));
    }

    function _verify(uint32 issuer, bytes32 root, Credential memory credential, uint32 index, bytes32[] memory path)
        private
        view
        returns (uint40)
    {
        return registry.verify(
            issuer,
            root,
            credential.salt,
            credential.list,
            credential.statusIndex,
            credential.credentialHash,
            index,
            path
        );
    }

    function _setStatus(bool revoked, uint256 index) private {
        vm.prank(statusKey);
        if (revoked) registry.revoke(ISSUER, 4, _words(0), _masks(1 << index), 1);
        else registry.suspend(ISSUER, 4, _words(0), _masks(1 << index), 1);
    }

    /// @dev The path is ready before the expectation: to forge, SHA-256 is a call as well.
    function _refuses(bytes memory error, uint32 index) private {
        _refuses(error, ISSUER, _root, _credential(index), index, Trees.pathOf(_leaves, index));
    }

    function _refuses(
        bytes memory error,
        uint32 issuer,
        bytes32 root,
        Credential memory credential,
        uint32 index,
        bytes32[] memory path
    ) private {
        vm.expectRevert(error);
        _verify(issuer, root, credential, index, path);
    }

    function _notIncluded(Credential memory credential) private view returns (bytes memory) {
        return _notIncluded(_root, credential);
    }

    function _notIncluded(bytes32 root, Credential memory credential) private pure returns (bytes memory) {
        return abi.encodeWithSelector(IRegistryErrors.NotIncluded.selector, root, credential.leafOf());
    }
}
